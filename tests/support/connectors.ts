/** What connectors are given, for tests. @module */
import { Secret } from "../../src/core/command.ts";
import type { ConnectorContext, Question, Target } from "../../src/core/connector.ts";

/** A host to connect to. */
export const targetFor = (
  address: string,
  data: Readonly<Record<string, unknown>> = {},
  more: Partial<Target> = {},
): Target => ({
  name: address || "@local",
  address,
  data,
  timeout: 30,
  signal: new AbortController().signal,
  ...more,
});

/** A context without a terminal, or with a person who gives these answers, by a part of the question. */
export function connectorContext(
  answers: Readonly<Record<string, string>> = {},
): ConnectorContext & { readonly asked: Question[]; readonly warnings: string[]; readonly told: string[] } {
  const asked: Question[] = [];
  const warnings: string[] = [];
  const told: string[] = [];
  const given = new Map<string, Secret | undefined>();
  return {
    asked,
    warnings,
    told,
    cwd: "/",
    async ask(question) {
      if (!given.has(question.key)) {
        asked.push(question);
        const answer = Object.entries(answers).find(([part]) => question.text.includes(part))?.[1];
        given.set(question.key, answer === undefined ? undefined : new Secret(answer));
      }
      return given.get(question.key);
    },
    warn: message => void warnings.push(message),
    inform: message => void told.push(message),
  };
}
