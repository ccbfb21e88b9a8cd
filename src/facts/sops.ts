/** Facts about files encrypted with SOPS. @module */
import { remotePath, Secret, sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";

/** Arguments of `sops.SopsKey`. */
export interface SopsKeyArguments {
  /** Path of the encrypted file; its ending says whether it is JSON, YAML, INI or dotenv. */
  readonly secretsFile: string;
  /** Name of a key at the top of the file. */
  readonly key: string;
}

/**
 * Decrypted value of a key, as a `Secret`: `reveal()` gives the text.
 * Absent when there is no such key, when it is `null` or empty, or when the file cannot be decrypted.
 */
export const SopsKey = fact<SopsKeyArguments, Secret | undefined>({
  name: "sops.SopsKey",
  requires: "sops",
  command: ({ secretsFile, key }) =>
    sh`sops --decrypt --extract ${`[${JSON.stringify(key)}]`} ${remotePath(secretsFile)} 2>/dev/null || true`,
  parse: lines => {
    const value = lines.join("\n");
    return value === "" || value === "null" ? undefined : new Secret(value);
  },
  empty: undefined,
});
