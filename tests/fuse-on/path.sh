# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the wrappers in this folder begin with: afterwards, the programs of
# their names are the real ones.  Autotest ends the folders in PATH with "/".

here=${0%/*} path=:$PATH:
here=${here%/}
for here in "$here" "$here/"; do
    while case $path in *":$here:"*) ;; *) false ;; esac; do
        path=${path%%":$here:"*}:${path#*":$here:"}
    done
done
path=${path#:}
PATH=${path%:}
export PATH
