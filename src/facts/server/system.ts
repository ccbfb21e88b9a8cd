/** What the host is: names, versions, paths. @module */
import { operand, raw, sh } from "../../core/command.ts";
import { fact, type NoArguments } from "../../core/fact.ts";
import { firstLine } from "../shared/lines.ts";

const uname = (name: string, flag: string) =>
  fact<NoArguments, string>({ name, command: () => sh`uname ${flag}`, parse: firstLine, empty: "" });

/** Name of the host, as `uname -n` gives it. */
export const Hostname = uname("server.Hostname", "-n");

/** Name of the kernel: `Linux`, `FreeBSD`, `Darwin` … */
export const Kernel = uname("server.Kernel", "-s");

/** Release of the running kernel. */
export const KernelVersion = uname("server.KernelVersion", "-r");

/** Former name of `server.Kernel`. */
export const Os = uname("server.Os", "-s");

/** Former name of `server.KernelVersion`. */
export const OsVersion = uname("server.OsVersion", "-r");

/** Machine architecture: `x86_64`, `aarch64` … */
export const Arch = uname("server.Arch", "-m");

/** Name of the user that commands run as. */
export const User = fact<NoArguments, string>({
  name: "server.User",
  command: () => sh`id -un`,
  parse: firstLine,
  empty: "",
});

/** Arguments of `server.Home`. */
export interface HomeArguments {
  /** Whose home; default: the user that commands run as. */
  readonly user?: string;
}

/** Home directory of a user; absent when the host does not know the user. */
export const Home = fact<HomeArguments, string | undefined>({
  name: "server.Home",
  // A quoted word does not expand, and a user's name needs no quotes: a strange name becomes text.
  command: ({ user }) => (user ? sh`echo ~${user}` : sh`echo ~`),
  parse: lines => (lines[0]!.startsWith("~") ? undefined : lines[0]),
  empty: undefined,
});

/** The `PATH` that commands are looked up in. */
export const Path = fact<NoArguments, string>({
  name: "server.Path",
  command: () => sh`echo "$PATH"`,
  parse: firstLine,
  empty: "",
});

/** Directory named by `TMPDIR`, `TMP` or `TEMP`, the first that can be written to; empty when none of them can. */
export const TmpDir = fact<NoArguments, string>({
  name: "server.TmpDir",
  command: () => sh`if [ -n "$TMPDIR" ] && [ -d "$TMPDIR" ] && [ -w "$TMPDIR" ]; then
    echo "$TMPDIR"
elif [ -n "$TMP" ] && [ -d "$TMP" ] && [ -w "$TMP" ]; then
    echo "$TMP"
elif [ -n "$TEMP" ] && [ -d "$TEMP" ] && [ -w "$TEMP" ]; then
    echo "$TEMP"
else
    echo ""
fi`,
  parse: lines => lines[0]!,
  empty: "",
});

/** Arguments of `server.Command`. */
export interface CommandArguments {
  /** Shell text, run as it stands. */
  readonly command: string;
}

/** What a command prints, its lines joined by newlines. It runs while preparing too: it must not change anything. */
export const Command = fact<CommandArguments, string>({
  name: "server.Command",
  command: ({ command }) => sh`${raw(command)}`,
  parse: lines => lines.join("\n"),
  empty: "",
});

/** Arguments of `server.Which`. */
export interface WhichArguments {
  /** Name of the program. */
  readonly command: string;
}

/** Path of a program, or how else the shell knows it; absent when it does not. */
export const Which = fact<WhichArguments, string | undefined>({
  name: "server.Which",
  command: ({ command }) => sh`command -v ${operand(command)} || true`,
  parse: firstLine,
  empty: undefined,
});

/** Version of macOS; absent elsewhere. */
export const MacosVersion = fact<NoArguments, string | undefined>({
  name: "server.MacosVersion",
  requires: "sw_vers",
  command: () => sh`sw_vers -productVersion`,
  parse: firstLine,
  empty: undefined,
});

/** True when the host waits for a reboot: a flag file of Debian's kind, or an installed kernel that is not the running one (Alpine, FreeBSD). */
export const RebootRequired = fact<NoArguments, boolean>({
  name: "server.RebootRequired",
  command: () => sh`
# Get OS type
OS_TYPE=$(uname -s)
if [ "$OS_TYPE" = "Linux" ]; then
    # Check if it's Alpine Linux
    if [ -f /etc/alpine-release ]; then
        RUNNING_KERNEL=$(uname -r)
        INSTALLED_KERNEL=$(ls -1 /lib/modules | sort -V | tail -n1)
        if [ "$RUNNING_KERNEL" != "$INSTALLED_KERNEL" ]; then
            echo "reboot_required"
            exit 0
        fi
    else
        # Check standard Linux reboot required files
        if [ -f /var/run/reboot-required ] || [ -f /var/run/reboot-required.pkgs ]; then
            echo "reboot_required"
            exit 0
        fi
    fi
elif [ "$OS_TYPE" = "FreeBSD" ]; then
    RUNNING_VERSION=$(freebsd-version -r)
    INSTALLED_VERSION=$(freebsd-version -k)
    if [ "$RUNNING_VERSION" != "$INSTALLED_VERSION" ]; then
        echo "reboot_required"
        exit 0
    fi
fi
echo "no_reboot_required"
`,
  parse: lines => firstLine(lines) === "reboot_required",
  empty: false,
});
