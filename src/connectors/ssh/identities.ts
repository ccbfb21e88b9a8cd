/** Which keys are offered to a server, in which order, and how each signs. @module */
import { basename, join } from "node:path";
import { ConnectError } from "../../core/errors.ts";
import { limitReached } from "../../core/limits.ts";
import type { Agent } from "./agent.ts";
import { parseCertificate } from "./certificate.ts";
import type { NamedPath } from "./config/index.ts";
import { KeyError, type KeyFile, type KeyFiles, type PassphraseSource } from "./keys.ts";
import type { Hop } from "./route.ts";
import { fingerprint, isCertificateType, keyTypeName, keyTypeOf } from "./wire.ts";

/** A key or certificate that can be offered. */
export interface Identity {
  /** What it is and where it comes from, for people. */
  readonly label: string;
  /** The public key or certificate. */
  readonly blob: Buffer;
  /** It signs without asking a person, as far as we know. */
  readonly isReady: boolean;
  /** The bare signature. Throws when there is none to be had. */
  sign(message: Buffer, hash: string | undefined): Promise<Buffer>;
}

/** What is offered, and what was left out, with the reason. */
export interface Offer {
  readonly identities: readonly Identity[];
  readonly leftOut: readonly string[];
}

export interface IdentitySources {
  readonly home: string;
  readonly keyFiles: KeyFiles;
  /** Undefined if there is none. */
  readonly agent: Agent | undefined;
  readonly passphrase: PassphraseSource;
}

const DEFAULT_NAMES = ["id_rsa", "id_ecdsa", "id_ed25519"];

/** As ssh orders them: certificates, keys of the configuration that the agent holds, its other keys, other files. */
export async function identitiesFor(hop: Hop, sources: IdentitySources): Promise<Offer> {
  const leftOut: string[] = [];
  const files = await loadFiles(hop, sources, leftOut);
  const held = await agentKeys(sources.agent, leftOut);
  const onlyNamed = hop.settings.identitiesOnly || hop.credentials.keyFile !== undefined;

  const signWith = (file: LoadedFile): Pick<Identity, "sign" | "isReady"> => {
    const { sign, isReady } = held.find(key => key.blob.equals(file.publicKey)) ?? file;
    return { sign, isReady };
  };
  const certificates = (await Promise.all(files.map(file => certificatesOf(file, hop, sources))))
    .flat()
    .map(({ blob, path, file }) => ({
      label: `certificate ${describe(path, blob)} of ${file.label}`,
      blob,
      ...signWith(file),
    }));
  const named = files
    .filter(file => held.some(key => key.blob.equals(file.publicKey)))
    .map(file => ({ label: `${file.label}, in the agent`, blob: file.publicKey, ...signWith(file) }));
  const others = onlyNamed ? [] : held.filter(key => !files.some(file => file.publicKey.equals(key.blob)));
  const rest = files
    .filter(file => !named.some(({ blob }) => blob.equals(file.publicKey)))
    .map(file => ({ label: file.label, blob: file.publicKey, sign: file.sign, isReady: file.isReady }));
  return {
    identities: [...certificates, ...named, ...others, ...rest].filter(identity => canSign(identity, leftOut)),
    leftOut,
  };
}

interface LoadedFile extends Pick<Identity, "label" | "sign" | "isReady"> {
  readonly path: string;
  readonly publicKey: Buffer;
}

async function loadFiles(hop: Hop, sources: IdentitySources, leftOut: string[]): Promise<readonly LoadedFile[]> {
  const named = namedFiles(hop, sources.home);
  const loaded = await Promise.all(
    named.map(async ({ path, from }): Promise<LoadedFile | undefined> => {
      try {
        const file = await sources.keyFiles.load(path);
        if (file) return await loadedFile(file, from, sources.passphrase);
        if (from === SSH_KEY)
          throw new ConnectError(`The private key ${JSON.stringify(path)} of ${hop.name} does not exist`, {
            host: hop.name,
            hint: "See the host data key sshKey",
          });
        // Keys that a configuration names need not exist, as with ssh; but it helps to be told when nothing else works.
        if (from !== DEFAULT) leftOut.push(`key ${path} (${from}): does not exist`);
      } catch (error) {
        if (!(error instanceof KeyError)) throw error;
        leftOut.push(`key ${path} (${from}): ${error.message}`);
      }
      return undefined;
    }),
  );
  return loaded.filter(file => file !== undefined);
}
const SSH_KEY = "sshKey";
const DEFAULT = "default";

function namedFiles({ credentials, settings }: Hop, home: string): readonly NamedPath[] {
  if (credentials.keyFile !== undefined) return [{ path: credentials.keyFile, from: SSH_KEY }];
  if (settings.identityFiles) return settings.identityFiles;
  return credentials.lookForKeys ? DEFAULT_NAMES.map(name => ({ path: join(home, ".ssh", name), from: DEFAULT })) : [];
}

async function loadedFile(file: KeyFile, from: string, passphrase: PassphraseSource): Promise<LoadedFile> {
  // Some encrypted formats hide the public half too: such a key is unlocked before it is known whether the host wants it.
  const publicKey = file.publicKey ?? (await file.unlock(passphrase)).getPublicSSH();
  return {
    path: file.path,
    publicKey,
    isReady: !file.isEncrypted || passphrase.given !== undefined,
    label: `key ${file.path} (${from}, ${describeKey(publicKey)})`,
    async sign(message, hash) {
      const signature: Buffer | Error = (await file.unlock(passphrase)).sign(message, hash);
      if (signature instanceof Error) throw new KeyError(`cannot sign: ${signature.message}`);
      return signature;
    },
  };
}

async function certificatesOf(file: LoadedFile, { settings }: Hop, { keyFiles }: IdentitySources) {
  const paths = [...settings.certificateFiles.map(({ path }) => path), `${file.path}-cert.pub`];
  const found = await Promise.all(paths.map(async path => ({ path, blob: await keyFiles.publicFile(path) })));
  return found.flatMap(({ path, blob }) => {
    const certificate = blob && parseCertificate(blob);
    return blob && certificate?.purpose === "user" && certificate.key.equals(file.publicKey)
      ? [{ path, blob, file }]
      : [];
  });
}

async function agentKeys(agent: Agent | undefined, leftOut: string[]): Promise<readonly Identity[]> {
  if (!agent) return [];
  try {
    const keys = await agent.keys();
    return keys.map(({ blob, comment }) => ({
      label: `key ${JSON.stringify(comment)} (agent, ${describeKey(blob)})`,
      blob,
      isReady: true,
      sign: (message, hash) => agent.sign(blob, message, hash),
    }));
  } catch (error) {
    if (limitReached(error)) throw error;
    leftOut.push((error as Error).message);
    return [];
  }
}

/** Said of keys that only another program can use. */
export const UNUSABLE = "cannot be used here";

/** Types that ssh2 can offer. */
function canSign({ blob, label }: Identity, leftOut: string[]): boolean {
  const type = keyTypeOf(blob);
  if (/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))(-cert-v01@openssh\.com)?$/.test(type)) return true;
  leftOut.push(`${label}: keys of the type ${type} ${UNUSABLE}`);
  return false;
}

const describeKey = (blob: Buffer): string => {
  const type = keyTypeOf(blob);
  const certificate = isCertificateType(type) ? parseCertificate(blob) : undefined;
  return certificate
    ? `${keyTypeName(type)} certificate ${JSON.stringify(certificate.keyId)}`
    : `${keyTypeName(type)} ${fingerprint(blob)}`;
};
const describe = (path: string, blob: Buffer): string => `${basename(path)} (${describeKey(blob)})`;
