# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Sourced by `setup` and `guest-apt`: which Debian archives this machine's own apt uses. It reads only, and names no
# mirror.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Lines "URI CODENAME" of the Debian archives in apt's sources. Before the first `apt-get update` of a machine apt knows
# none; then its sources are read into the scratch folder $1, which is removed again.
system_archives()
{
	format='$(REPO_URI) $(CODENAME) $(ORIGIN)'
	found=$(apt-get indextargets --format "$format" 'Created-By: Packages' 2>/dev/null | grep ' Debian$' || true)
	if [ -z "$found" ]; then
		mkdir -p "$1/lists/partial"
		set -- "$1" -q -o "Dir::State::lists=$1/lists" -o "Dir::Cache=$1" -o APT::Sandbox::User=root \
			-o Acquire::Languages=none
		scratch=$1
		shift
		apt-get "$@" update >/dev/null 2>&1 || true
		found=$(apt-get "$@" indextargets --format "$format" 'Created-By: Packages' | grep ' Debian$' || true)
		rm -rf "$scratch"
	fi
	printf '%s\n' "$found" | cut -d' ' -f1,2 | sort -u
}

# source_line TYPE URI SUITE: a line of a sources.list, signatures checked against Debian's own keys only.
source_line()
{
	echo "$1 [signed-by=$KEYRING] $2 $3 main"
}
