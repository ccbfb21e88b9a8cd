/** Settings of a run: the config file, the environment, their check and their order. @module */
export * from "./define.ts";
export { environmentSettings, flagVariable, variableOf } from "./environment.ts";
export {
  type ConfigFile,
  type ConfigFileOptions,
  findConfigFile,
  keyPlace,
  loadConfigFile,
  requireConfigFile,
  requireExtended,
} from "./load.ts";
export { mergeSettings } from "./merge.ts";
export {
  describe,
  isRecord,
  LAYER_KEYS,
  SETTING_NAMES,
  SETTINGS,
  type SettingKind,
  problemOf,
  settingProblem,
} from "./schema.ts";
