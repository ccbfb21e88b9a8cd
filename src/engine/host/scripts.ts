/** Shell scripts of the engine's own: upload, download, kill. @module */
import { joined, remotePath, Secret, sh, type Shell } from "../../core/command.ts";

/** Attributes of an uploaded file; absent ones stay as they are, or follow the host's umask. */
export interface UploadAttributes {
  readonly mode?: string;
  readonly user?: string;
  readonly group?: string;
}

/**
 * Write stdin to `dest`: under an unpredictable name in the same directory, readable by nobody else, then renamed.
 * A link is followed. The size is checked: when the connection dies, what arrived must not pass for the file.
 * Content given as `inline` is part of the command, and so cannot be cut short.
 */
export function uploadCommand(
  dest: string,
  size: number,
  { mode, user, group }: UploadAttributes,
  inline?: string,
): Shell {
  const name = `.tsinfra-${crypto.randomUUID()}`;
  const owner = [user, group === undefined ? undefined : `:${group}`].filter(part => part !== undefined).join("");
  const isWhole = mode !== undefined && /^[0-7]+$/.test(mode);
  const content =
    inline === undefined
      ? sh`cat >"$t" || exit\n${sizeCheck(size)}`
      : sh`printf %s ${new Secret(inline)} >"$t" || exit`;
  return joined("\n", [
    sh`d=${remotePath(dest)}
if [ -L "$d" ]; then d=$(readlink -f "$d") || exit; fi
if [ -d "$d" ]; then echo "it is a directory" >&2; exit 1; fi
case $d in */*) p=\${d%/*}/;; *) p=./;; esac`,
    ...(isWhole && owner !== ""
      ? []
      : [
          sh`set -- '=rw' ''\nif [ -e "$d" ]; then set -- $(stat -c '%a %u:%g' "$d" 2>/dev/null || stat -f '%Mp%Lp %u:%g' "$d"); fi`,
        ]),
    ...(isWhole ? [] : [sh`n=$(umask)`]),
    sh`umask 077
t=$p${name}
trap 'rm -f "$t"' EXIT; trap 'exit 1' HUP INT PIPE TERM
set -C; : >"$t" || exit; set +C`,
    content,
    owner === "" ? sh`if [ -n "$2" ]; then chown "$2" "$t" 2>/dev/null; fi` : sh`chown ${owner} "$t" || exit`,
    ...(isWhole ? [] : [sh`umask "$n"; chmod "$1" "$t" || exit`]),
    ...(mode === undefined ? [] : [sh`chmod ${mode} "$t" || exit`]),
    sh`mv -f "$t" "$d" || exit\ntrap - EXIT`,
  ]);
}

const sizeCheck = (size: number): Shell =>
  sh`if [ "$(wc -c <"$t")" -ne ${size} ]; then echo "the upload was cut short" >&2; exit 1; fi`;

/** A command line whose input ends with a file, or whose output is one; opened by the user who is logged in, whoever the command runs as. */
export const throughFile = (line: Shell, file: { readonly input: string } | { readonly output: string }): Shell =>
  "input" in file ? sh`{ cat; cat <${file.input}; } | {\n${line}\n}` : sh`{\n${line}\n} >${file.output}`;

/** Write a file to stdout. */
export const downloadCommand = (src: string): Shell => sh`cat <${remotePath(src)}`;

/**
 * End a process, all its descendants and all of its process group, in which those are whose parents have gone: asked first, so that they can tidy up, and killed a second later.
 * Parents come before their children: a script whose command ends must not go on to the next.
 * Linux has /proc where `ps` may be missing. Succeeds when all of them are gone; those that only wait for somebody to ask how they ended are.
 * A group in which this shell is as well, or one of its parents, is not the command's own. Signals may be forbidden, as they are to what has become another user: that is no end.
 * Processes may be hidden as well (hidepid): their group shows that they are there. What was begun while others were ended is in the group too, and is killed.
 * Where the process is not listed, what it has begun may go on.
 */
export const killTree = (pid: number, isAttached = true): Shell =>
  sh`processes() {
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\\([0-9]*\\) (.*) [^ ]* \\([0-9]*\\) \\([0-9]*\\) .*/\\1 \\2 \\3/' | grep . || ps -A -o pid= -o ppid= -o pgid= 2>/dev/null
}
family() {
  processes | awk -v roots="$*" -v self=$$ '
  { parent[$1] = $2; group[$1] = $3 }
  function take(p) { seen[p] = 1; family[++taken] = p }
  function walk(p) { while (told < taken) { print family[++told]; for (p in parent) if (parent[p] == family[told] && !(p in seen)) take(p) } }
  END { n = split(roots, root, " ")
  for (i = 1; i <= n; i++) take(root[i])
  walk()
  own = group[root[1]]
  for (p = self; p in parent && !(p in above); p = parent[p]) { above[p] = 1; if (group[p] == own) own = 0 }
  if (own > 0) for (p in group) while (group[p] == own && !(p in seen)) {
    for (top = p; group[parent[top]] == own && !(parent[top] in seen); top = parent[top]);
    take(top)
    walk()
  } }'
}
isThere() {
  case $(cat "/proc/$1/stat" 2>/dev/null) in *') Z '*) return 1;; esac
  case $(LC_ALL=C kill -0 "$1" 2>&1 && echo there) in there | *ermitted*) return 0;; esac
  return 1
}
ofGroup() {
  [ -z "$own" ] || { LC_ALL=C kill -0 "-$own" 2>&1 && echo there; }
}
areGone() {
  waited=
  for try in 1 2 3 4 5; do
    left=
    for one in $all; do isThere "$one" && left=1; done
    if [ -z "$left" ]; then
      case $(ofGroup) in
        '' | *"o such"*) return 0;;
        there)
          members=$(processes | awk -v own="$own" '$3 == own { print $1 }')
          for one in $members; do isThere "$one" && left="$left $one"; done
          if [ -n "$left" ]; then
            all=$left; kill -KILL $all 2>/dev/null
          else
            [ -z "$waited" ] || return 0
            kill -$1 "-$own" 2>/dev/null
            waited=$members
          fi;;
      esac
    fi
    sleep 0.2 2>/dev/null || sleep 1
  done
  return 1
}
pid=${pid}
isThere $pid || exit ${NOT_THERE}
attached=${isAttached ? 1 : 0}
listed= own=
eval "$(processes | awk -v pid=$pid -v self=$$ '
  { parent[$1] = $2; group[$1] = $3 }
  END { listed = own = group[pid]
  for (p = self; p in parent && !(p in above); p = parent[p]) { above[p] = 1; if (group[p] == own) own = "" }
  print "listed=" listed " own=" own }')"
if [ -n "$listed" ]; then
  all=$(family $pid); ended=0
else
  [ $attached = 0 ] || exit ${UNLISTED}
  all=$pid; ended=${UNLISTED}
fi
kill -TERM $all 2>/dev/null
areGone TERM && exit $ended
rest=$(family $all)
all=\${rest:-$all}
kill -KILL $all 2>/dev/null
areGone KILL || exit ${STILL_THERE}
exit $ended`;
/**
 * Exit codes: some of it goes on, it was gone before, or it is not listed: then it is best ended by its connection, or, where it has none any more, has ended without
 * anybody knowing of what it had begun. What cannot become another user, or has no shell, ends with others.
 */
export const STILL_THERE = 93;
export const NOT_THERE = 94;
export const UNLISTED = 95;
