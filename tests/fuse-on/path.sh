# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# Sourced by the wrappers in this folder: removes the folder from PATH, so that
# the programs of their names are the real ones.  Autotest ends the folders in
# PATH with "/".

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
