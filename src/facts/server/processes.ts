/** Running processes. @module */
import { sh } from "../../core/command.ts";
import { fact } from "../../core/fact.ts";

/** A running process. */
export interface Process {
  /** Who runs it. */
  readonly user: string;
  /** As `ps` codes it: `S` sleeps, `R` runs, `Z` is a zombie; what follows depends on the system. */
  readonly state: string;
  /** Absent where `ps` does not say (busybox). */
  readonly cpuPercent?: number;
  /** Part of the memory; absent where `ps` does not say. */
  readonly memPercent?: number;
  /** Name of the program. */
  readonly command: string;
  /** Command line, with arguments. */
  readonly args: string;
}

/** Arguments of `server.Processes`. */
export interface ProcessesArguments {
  /** Only this one; default: all. */
  readonly pid?: number;
}

/** Running processes, by process id. */
export const Processes = fact<ProcessesArguments, Readonly<Record<string, Process>>>({
  name: "server.Processes",
  requires: "ps",
  // A name may hold spaces just as arguments do: two lists, each with one of them last. Busybox knows fewer options and columns.
  command: ({ pid }) => {
    const which = pid === undefined ? ["-A"] : ["-p", pid];
    const columns = "-o stat= -o %cpu= -o %mem= -o args=".split(" ");
    const rows = sh`{ ps ${which} -o pid= -o user:32= ${columns} 2>/dev/null || ps ${which} -o pid= -o user= ${columns}; }`;
    return sh`{ ps ${which} -o pid= -o comm= 2>/dev/null && echo ${FULL} && ${rows}; } || { ps -o pid,comm && echo ${BRIEF} && ps -o pid,user,stat,args; } || true`;
  },
  parse: (lines, { pid }) => {
    const mark = Math.max(lines.lastIndexOf(FULL), lines.lastIndexOf(BRIEF));
    const names = new Map(
      lines
        .slice(0, mark)
        .flatMap(line => columns(line, 1))
        .map(([id, name]) => [id, name]),
    );
    const rows = lines.slice(mark + 1).flatMap(line => columns(line, lines[mark] === FULL ? 5 : 3));
    return Object.fromEntries(
      rows
        .filter(([id]) => pid === undefined || id === String(pid))
        .map(([id, ...row]) => [id, process(row, names.get(id))]),
    );
  },
  empty: {},
});

const FULL = "--- full";
const BRIEF = "--- brief";

/** A process id and `count` columns, the last of which may hold spaces; nothing for a header. */
function columns(line: string, count: number): [id: string, first: string, ...others: string[]][] {
  const found = new RegExp(`^\\s*(\\d+)${"\\s+(\\S+)".repeat(count - 1)}\\s+(.*?)\\s*$`).exec(line);
  return found ? [[found[1]!, found[2]!, ...found.slice(3)]] : [];
}

function process(row: readonly string[], name: string | undefined): Process {
  const [user = "", state = ""] = row;
  const args = row.at(-1) ?? "";
  const usage = row.length > 3 ? { cpuPercent: Number(row[2]), memPercent: Number(row[3]) } : {};
  return { user, state, ...usage, command: name ?? args.split(" ")[0] ?? "", args };
}
