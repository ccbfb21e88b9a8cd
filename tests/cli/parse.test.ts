import { describe, expect, test } from "bun:test";
import { ArgumentError, parseCommandLine } from "../../src/cli/parse.ts";
import { keyValue, readValue } from "../../src/cli/values.ts";

const parse = (...args: string[]) => parseCommandLine(args);
function failure(...args: string[]): ArgumentError {
  try {
    parse(...args);
  } catch (error) {
    if (error instanceof ArgumentError) return error;
  }
  throw new Error("Expected an ArgumentError");
}

describe("options", () => {
  test("may stand anywhere before --", () => {
    const { options, words, rest } = parse(
      "--sudo",
      "web-1",
      "--limit",
      "a",
      "deploy.ts",
      "-y",
      "--limit=b",
      "--data",
      "x=1",
      "--data",
      "y==2",
    );
    expect(words).toEqual(["web-1", "deploy.ts"]);
    expect(rest).toBeUndefined();
    expect([options.sudo, options.yes, options.limit, options.data, options.dry]).toEqual([
      true,
      true,
      ["a", "b"],
      ["x=1", "y==2"],
      undefined,
    ]);
  });

  test("count themselves", () => {
    expect(parse("-vv", "x", "-v").options.verbose).toBe(3);
    expect(parse("-vy", "x").options).toMatchObject({ verbose: 1, yes: true });
    expect(parse("x").options.verbose).toBe(0);
  });

  test("may be switched off again, to override the config", () => {
    expect(parse("--sudo=false").options.sudo).toBe(false);
    expect(failure("--sudo=maybe").message).toBe('Option --sudo takes no value, or true or false, found "maybe"');
  });

  test("have other spellings", () => {
    expect(parse("--user", "ada", "--port=22", "--key", "k").options).toMatchObject({
      "ssh-user": "ada",
      "ssh-port": 22,
      "ssh-key": "k",
    });
  });

  test("after -- are words", () => {
    const { words, rest, options } = parse("web", "exec", "-v", "--", "ls", "-la", "--sudo", "--");
    expect([words, rest, options.sudo, options.verbose]).toEqual([
      ["web", "exec"],
      ["ls", "-la", "--sudo", "--"],
      undefined,
      1,
    ]);
  });

  test("that do not exist are a mistake; the nearest is named", () => {
    expect(failure("--sudoo")).toMatchObject({ message: "Unknown option --sudoo", hint: "Did you mean --sudo?" });
    expect(failure("--parralel", "5").hint).toBe("Did you mean --parallel?");
    expect(failure("-z")).toMatchObject({ message: "Unknown option -z", hint: "See tsinfra --help" });
    expect(failure("web", "exec", "ls", "-la").hint).toBe("Write -- before the command: exec -- ls -la");
  });

  test("without their value are a mistake", () => {
    expect(failure("--limit").message).toBe("Option --limit needs a value");
    expect(failure("--config", "--dry").message).toBe("Option --config needs a value, found option --dry");
    expect(parse("--sudo-user", "-odd").options["sudo-user"]).toBe("-odd");
    expect(parse("--config=--dry").options.config).toBe("--dry");
    expect(failure("--parallel", "many").message).toBe('Option --parallel must be a number, found "many"');
    expect(failure("--verbose=2").message).toBe("Option --verbose takes no value");
  });
});

describe("values", () => {
  test("are booleans, numbers, JSON or text", () => {
    const cases: readonly (readonly [string, unknown])[] = [
      ["true", true],
      ["False", false],
      ["42", 42],
      ["-7", -7],
      ["1.5", 1.5],
      ["3.10", "3.10"],
      ["007", "007"],
      ["0644", "0644"],
      ["12345678901234567890", "12345678901234567890"],
      ["10.0.0.1", "10.0.0.1"],
      ["[1,2]", [1, 2]],
      ['{"a":1}', { a: 1 }],
      ['"5"', "5"],
      ["[broken", "[broken"],
      ["null", null],
      ["", ""],
      ["a b", "a b"],
    ];
    for (const [text, value] of cases) expect([text, readValue(text)]).toEqual([text, value]);
  });

  test("may contain the equals sign and line breaks", () => {
    expect(keyValue("line=a=b\nc")).toEqual(["line", "a=b\nc"]);
    expect(keyValue("_sudo=true")).toEqual(["_sudo", true]);
    expect(keyValue("apt-get update")).toBeUndefined();
    expect(keyValue("/etc/x=y")).toBeUndefined();
  });
});
