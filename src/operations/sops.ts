/** Values in files encrypted with SOPS. @module */
import { remotePath, Secret, sh } from "../core/command.ts";
import { OperationError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { SopsKey } from "../facts/sops.ts";

/** Arguments of `sops.key`. */
export interface KeyArguments {
  /** Path of the encrypted file. Whoever runs `sops` there must have a key for it. */
  readonly secretsFile: string;
  /** Name of a key at the top of the file. */
  readonly key: string;
  /** What it must hold; needed unless `present` is `false`. Never shown. */
  readonly value?: string | Secret;
  /** `false`: it must hold nothing; it is set to `null`, since SOPS removes no keys. Default true. */
  readonly present?: boolean;
}

/**
 * Set a key in an encrypted file. While `sops` runs, users of the host may see the value in its command line.
 * @example sops.key({ secretsFile: "/srv/app/secrets.enc.yaml", key: "token", value: "change me" });
 */
export const key = operation<KeyArguments>({
  name: "sops.key",
  positional: ["secretsFile", "key"],
  async *steps(host, { secretsFile, key: name, value, present = true }) {
    if (present && value === undefined) throw new OperationError("`value` is required when `present` is true");
    const current = await host.getFact(SopsKey, { secretsFile, key: name });
    const path = `[${JSON.stringify(name)}]`;
    if (!present || value === undefined) {
      if (current === undefined) host.noop(`Key '${name}' already absent (null) in ${secretsFile}`);
      else yield sh`sops --set ${`${path} null`} ${remotePath(secretsFile)}`;
      return;
    }
    const wanted = Secret.of(value);
    if (current?.reveal() === wanted.reveal())
      return host.noop(`Key '${name}' already set to the expected value in ${secretsFile}`);
    yield sh`sops --set ${wanted.map(text => `${path} ${JSON.stringify(text)}`)} ${remotePath(secretsFile)}`;
  },
});
