/** What to do about an error that brings no hint of its own, by its code. @module */

const HINTS: Readonly<Record<string, string>> = {
  E_ARGUMENT: "See tsinfra --help",
  E_DEPLOY_LOAD: "tsinfra check FILE finds mistakes without connecting to anything",
  E_LOCAL_FILE: "Relative paths start at the deploy file's directory",
  E_CONNECTOR_DATA: "tsinfra INVENTORY debug-inventory shows every host's data",
  E_OPERATION_TYPE: "tsinfra check FILE finds wrong arguments without connecting to anything",
  E_FACT: "-vvv shows every command and its output",
  E_TIMEOUT: "_timeout is in seconds and counts for each command",
  E_UNEXPECTED: "This is a mistake in tsinfra: with TSINFRA_DEBUG=1 it says where",
};

/** The one table that errors of hosts, of operations and of the command line are looked up in. */
export const hintFor = (code: string): string | undefined => HINTS[code];
