/** Logging in: what is tried, in which order, and what came of it. @module */
import type { Secret } from "../../core/command.ts";
import type { ConnectorContext } from "../../core/connector.ts";
import { limitFailure } from "../../core/connect-failure.ts";
import { ConnectError } from "../../core/errors.ts";
import type { Deadline } from "../shared/deadline.ts";
import { parseCertificate } from "./certificate.ts";
import { type Identity, identitiesFor, type IdentitySources, type Offer, UNUSABLE } from "./identities.ts";
import type { AnyAuthMethod, AuthHandler, BaseAgent, SshLibrary } from "./library.ts";
import { type Hop, hopAddress, USE_OPENSSH } from "./route.ts";

/** What logging in needs. */
export interface AuthenticationOptions {
  readonly hop: Hop;
  readonly library: SshLibrary;
  readonly sources: Omit<IdentitySources, "passphrase">;
  readonly context: ConnectorContext;
  readonly deadline: Deadline;
  /** True when the host may not be the right one: then it gets no password. */
  readonly isSuspect: () => boolean;
}

/** One attempt to log in. */
export interface Authentication {
  /** Called by ssh2 after each refusal. */
  readonly handler: AuthHandler;
  /** Why it came to nothing. */
  failure(reason?: string): ConnectError;
  /** What let us in. */
  readonly current: string | undefined;
}

type Try = AnyAuthMethod | undefined;
/** `signFirst`: do not ask the server first whether it would take the key. */
type AgentTry = AnyAuthMethod & { readonly type: "agent"; readonly signFirst: boolean };
const ORDER = ["publickey", "keyboard-interactive", "password"] as const;
type Method = (typeof ORDER)[number];

export function createAuthentication(options: AuthenticationOptions): Authentication {
  return new Login(options);
}

class Login implements Authentication {
  current: string | undefined;
  readonly #options: AuthenticationOptions;
  readonly #tried: string[] = [];
  #allowed: readonly string[] | undefined;
  #offer: Offer | undefined;
  #identities: Identity[] = [];
  #passwords = 0;
  #interactions = 0;
  #problem: unknown;
  #hasAsked = false;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
  }

  readonly handler: AuthHandler = (allowed, partialSuccess, next) => {
    this.#next(allowed, partialSuccess).then(
      attempt => next(attempt ?? false),
      error => {
        this.#problem = error;
        next(false);
      },
    );
  };

  failure(reason?: string): ConnectError {
    if (this.#problem instanceof ConnectError) return this.#problem;
    const { hop } = this.#options;
    const { name, settings } = hop;
    const limit = limitFailure(this.#problem, name);
    if (limit) return limit;
    this.#settle(reason ? "cut off" : "refused");
    const allowed = this.#allowed?.join(" and ") || "no way to log in";
    // A system's configuration may ask for what its servers do not have: that is nobody's mistake.
    const unsupported = settings.unsupportedLogins
      .filter(({ method }) => this.#allowed?.includes(method))
      .map(({ setting }) => `${setting}: not supported`);
    const tried = [...this.#tried, ...(this.#offer?.leftOut ?? [])];
    const why = reason ?? (this.#problem instanceof Error ? this.#problem.message : undefined);
    const parts = [
      why,
      `the server allows ${allowed}`,
      tried.length > 0 ? `tried ${tried.join("; ")}` : "there was nothing to try",
      ...unsupported,
    ];
    return new ConnectError(
      `Cannot log in to ${name} (${hopAddress(hop)}) as ${settings.user}: ${parts.filter(Boolean).join("; ")}`,
      {
        host: name,
        hint: this.#hint(),
        cause: this.#problem,
      },
    );
  }

  #hint(): string {
    const { hop } = this.#options;
    const { user, userFrom } = hop.settings;
    const { unsupportedLogins } = hop.settings;
    if (
      this.#offer?.leftOut.some(reason => reason.includes(UNUSABLE)) ||
      unsupportedLogins.some(({ method }) => this.#allowed?.includes(method))
    )
      return USE_OPENSSH;
    if (hop.isJump) return `Check with: ssh ${hop.name}`;
    if (userFrom === undefined && this.#tried.length > 0)
      return `The user is ${JSON.stringify(user)}; another is set with the host data sshUser. Keys and passwords come from sshKey, sshPassword, the agent and ~/.ssh`;
    return "Set the host data sshKey or sshPassword, or start an agent that holds the key";
  }

  async #next(allowed: readonly string[] | null, partialSuccess: boolean | null): Promise<Try> {
    if (allowed === null) return (await this.#first()) ?? this.#none();
    this.#allowed = allowed;
    this.#settle(partialSuccess ? "accepted, but not enough" : "refused");
    for (const method of this.#methods()) {
      if (!allowed.includes(method)) continue;
      const attempt = await this.#attempt(method);
      if (attempt) return attempt;
    }
    // Some let in who they know by other means, and only those who bring nothing.
    return this.#hasAsked || partialSuccess ? undefined : this.#none();
  }

  /** What to begin with where it is clear: asking what the server allows would cost a round trip. */
  async #first(): Promise<Try> {
    const [method] = this.#methods();
    if (method === "publickey") return await this.#publicKey();
    return method === "password" && this.#options.hop.credentials.password ? await this.#password() : undefined;
  }

  /** Lets in only where nothing is needed; else it is the question what the server allows. */
  #none(): Try {
    this.#hasAsked = true;
    return { type: "none", username: this.#options.hop.settings.user };
  }

  #settle(outcome: string): void {
    if (this.current === undefined) return;
    this.#tried.push(`${this.current}: ${outcome}`);
    this.current = undefined;
  }

  #methods(): readonly Method[] {
    const { settings, credentials } = this.#options.hop;
    const suspect = this.#options.isSuspect();
    const enabled: Readonly<Record<Method, boolean>> = {
      publickey: settings.pubkeyAuthentication,
      "keyboard-interactive": settings.keyboardInteractive && !suspect,
      password: settings.passwordAuthentication && !suspect,
    };
    // A password that is at hand is better given as such than typed into a dialogue.
    const usual: readonly Method[] = credentials.password ? ["publickey", "password", "keyboard-interactive"] : ORDER;
    const order =
      settings.preferredAuthentications?.filter((name): name is Method =>
        (ORDER as readonly string[]).includes(name),
      ) ?? usual;
    return order.filter(method => enabled[method]);
  }

  async #attempt(method: Method): Promise<Try> {
    if (method === "publickey") return await this.#publicKey();
    return method === "password" ? await this.#password() : this.#interactive();
  }

  async #publicKey(): Promise<Try> {
    const { hop, sources } = this.#options;
    if (!this.#offer) {
      this.#offer = await identitiesFor(hop, {
        ...sources,
        passphrase: { given: hop.credentials.keyPassword, ask: (path, attempt) => this.#askPassphrase(path, attempt) },
      });
      this.#identities = [...this.#offer.identities];
    }
    const identity = this.#identities.shift();
    if (!identity) return undefined;
    this.current = identity.label;
    // The only key is signed with at once, unless that would take a person: it is the one, or there is none.
    const signFirst = this.#offer.identities.length === 1 && identity.isReady;
    return { type: "agent", username: hop.settings.user, agent: this.#signer(identity), signFirst } as AgentTry;
  }

  #signer({ blob, sign }: Identity): BaseAgent {
    const { deadline, library } = this.#options;
    return library.signer({
      blob,
      plain: parseCertificate(blob)?.key ?? blob,
      sign: async (message, hash) => {
        try {
          // May wait for a person: a passphrase, an agent that asks.
          return await deadline.hold(() => sign(message, hash));
        } catch (error) {
          this.#settle((error as Error).message);
          throw error;
        }
      },
    });
  }

  async #password(): Promise<Try> {
    const { hop } = this.#options;
    const { password } = hop.credentials;
    const attempt = ++this.#passwords;
    if (password) {
      if (attempt > 1) return undefined;
      this.current = "password (sshPassword)";
      return { type: "password", username: hop.settings.user, password: password.reveal() };
    }
    if (attempt > hop.settings.passwordPrompts) return undefined;
    const answer = await this.#ask(passwordQuestion(hop, attempt));
    if (!answer) return undefined;
    this.current = "password (typed)";
    return { type: "password", username: hop.settings.user, password: answer.reveal() };
  }

  #interactive(): Try {
    const { hop } = this.#options;
    const attempt = ++this.#interactions;
    if (attempt > (hop.credentials.password ? 1 : hop.settings.passwordPrompts)) return undefined;
    this.current = "keyboard-interactive";
    return {
      type: "keyboard-interactive",
      username: hop.settings.user,
      prompt: (name, instructions, _language, prompts, finish) => {
        const answers = Promise.all(
          prompts.map(({ prompt }) => this.#answer(`${name} ${instructions}`.trim(), prompt, attempt)),
        );
        answers.then(
          given => finish(given.map(answer => answer?.reveal() ?? "")),
          error => {
            this.#problem = error;
            finish(prompts.map(() => ""));
          },
        );
      },
    };
  }

  async #answer(title: string, prompt: string, attempt: number): Promise<Secret | undefined> {
    const { hop } = this.#options;
    if (/passwor[dt]|passphrase/i.test(prompt))
      return hop.credentials.password ?? (await this.#ask(passwordQuestion(hop, attempt)));
    // A one-time code is good for one host and one try.
    const text = [title, prompt.trim()].filter(Boolean).join(": ");
    return await this.#ask({ key: `ssh prompt ${hopAddress(hop)} ${attempt} ${text}`, text: `${hop.name}: ${text}` });
  }

  async #askPassphrase(path: string, attempt: number): Promise<Secret | undefined> {
    return await this.#ask({
      key: `ssh passphrase ${path} ${attempt}`,
      text: `${attempt > 1 ? "That was not it. " : ""}Passphrase of the key ${path}`,
    });
  }

  async #ask({ key, text }: { readonly key: string; readonly text: string }): Promise<Secret | undefined> {
    const { context, deadline, hop } = this.#options;
    if (hop.settings.batchMode) return undefined;
    return await deadline.hold(() => context.ask({ key, text, kind: "secret" }));
  }
}

/** Hosts share the answer per user; a jump host is asked about on its own, so that no password goes to the wrong one. */
function passwordQuestion(hop: Hop, attempt: number): { readonly key: string; readonly text: string } {
  const { user } = hop.settings;
  const again = attempt > 1 ? "That was not it. " : "";
  if (hop.isJump)
    return {
      key: `ssh password ${user}@${hopAddress(hop)} ${attempt}`,
      text: `${again}Password of ${user} on the jump host ${hop.name}`,
    };
  return {
    key: `ssh password ${user} ${attempt}`,
    text: `${again}Password of ${user} for the hosts that ask for one (${hop.name} does)`,
  };
}
