#!/bin/bash
# stop.sh DIR: waits until its standard input ends, which it does when the test lets go of it or dies, in whatever way. Then it
# ends every process that works in DIR (the daemons, their steps, the jobs and what these started) and removes DIR.
trap '' INT TERM HUP
dir=$1
[ -n "$dir" ] && [ -d "$dir" ] || exit 2
cat >/dev/null
# Whoever has a file or a working folder below DIR, or DIR in its environment. A step that outlived its daemon has its log open.
mine() {
    {
        find /proc/[0-9]*/fd /proc/[0-9]*/cwd -lname "$dir/*" 2>/dev/null
        grep -laF "$dir/" /proc/[0-9]*/environ 2>/dev/null
    } | cut -d/ -f3 | sort -u | grep -vxE "$$|$PPID"
}
for _ in $(seq 50); do
    pids=$(mine)
    [ -z "$pids" ] && break
    kill -KILL $pids 2>/dev/null
    sleep 0.05
done
rm -rf "$dir"
