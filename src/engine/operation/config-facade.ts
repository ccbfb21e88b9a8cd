/** The settings of a run, as a deploy file sees and changes them. @module */
import { type Config, DEFAULT_CONFIG } from "../../core/config.ts";
import { ConfigError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";

/** `config` of a deploy file: assigning makes a new object, so that operations declared before keep theirs. */
export function configFacade(settings: { current: Readonly<Config> }): Config {
  return new Proxy({} as Config, {
    get: (_, key) => settings.current[key as keyof Config],
    has: (_, key) => key in DEFAULT_CONFIG,
    ownKeys: () => Object.keys(DEFAULT_CONFIG),
    getOwnPropertyDescriptor: (_, key) => ({
      value: settings.current[key as keyof Config],
      enumerable: true,
      configurable: true,
      writable: true,
    }),
    set: (_, key, value) => {
      if (!(key in DEFAULT_CONFIG)) {
        const near = nearest(String(key), Object.keys(DEFAULT_CONFIG));
        throw new ConfigError(`There is no setting config.${String(key)}`, {
          hint: near ? `The nearest is config.${near}` : undefined,
        });
      }
      settings.current = { ...settings.current, [key]: value };
      return true;
    },
  });
}
