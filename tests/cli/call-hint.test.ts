/** What is told of a call of what is no function. */
import { expect, test } from "bun:test";
import { callHint } from "../../src/cli/call-hint.ts";

/** What the runtime says of such a call. */
function said(call: string): string {
  const host = {};
  try {
    new Function("host", "inventory", "logger", "local", "files", "apt", "h", call)(
      host,
      { hosts: [host] },
      host,
      host,
      host,
      host,
      host,
    );
  } catch (error) {
    return String(error);
  }
  throw new Error(`${call} throws nothing`);
}

test.each([
  ["host.get_fact(1)", 'Did you mean "host.getFact"?'],
  ["host.getfact(1)", 'Did you mean "host.getFact"?'],
  ["host.fact(1)", 'It is "host.getFact"'],
  ["host.run_shell_command('ls')", 'It is "host.run"'],
  ["host.put_file()", 'It is "files.put"'],
  ["host.with_arguments()", 'Did you mean "host.withArguments"?'],
  ["h.get_fact(1)", 'Did you mean "getFact"?'],
  ["inventory.hosts[0].get_fact(1)", 'Did you mean "getFact"?'],
  ["inventory.get_host('a')", 'Did you mean "inventory.getHost"?'],
  ["inventory.get_group('a')", 'Did you mean "inventory.getGroup"?'],
  ["inventory.get_active_hosts()", 'It is "inventory.hosts"'],
  ["logger.warning('a')", 'It is "logger.warn"'],
  ["logger.critical('a')", 'It is "logger.error"'],
  ["local.includ('a')", 'Did you mean "local.include"?'],
  ["apt.package()", 'Did you mean "apt.packages"?'],
  ["host.toString.x()", undefined],
  ["h.something()", undefined],
  ["host.frobnicate()", undefined],
])("%s", async (call, hint) => {
  expect(await callHint(said(call))).toBe(hint as string);
});

test("a long message costs no more than a short one", async () => {
  expect(await callHint(`${"H".repeat(5_000_000)} files.lnie is not a function`)).toBe('Did you mean "files.line"?');
  expect(await callHint("H".repeat(5_000_000))).toBeUndefined();
});
