/** Ending a command where it runs. @module */
import { sh, type Shell } from "../../core/command.ts";

/**
 * End what a process leads: its group, else all that descend from it, for some programs (lxc) run commands in a group that is not theirs.
 * Asked first, and killed a second later. With nothing but a shell, which is all that the place need have.
 */
export const endFrom = (pid: number): Shell =>
  sh`exec 2>/dev/null
if kill -TERM -${pid}; then all=-${pid}; else
  all=' ${pid} ' more=1
  while [ -n "$more" ]; do
    more=
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } || continue
      one=\${line%% *}; set -- \${line##*) }
      case $all in *" $one "*) ;; *" $2 "*) all="$all$one " more=1;; esac
    done
  done
  kill -TERM $all
fi
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for one in $all; do kill -0 "$one" && left=1; done
  [ -n "$left" ] || exit 0
  sleep 0.1 || sleep 1
done
kill -KILL $all`;
