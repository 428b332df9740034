# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What the wrappers in this folder begin with: afterwards, the programs of
# their names are the real ones.

here=${0%/*} path=:$PATH:
while case $path in *":$here:"*) ;; *) false ;; esac; do
    path=${path%%":$here:"*}:${path#*":$here:"}
done
path=${path#:}
PATH=${path%:}
export PATH
