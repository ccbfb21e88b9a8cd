/** How apt-get is called. @module */
import { sh, type Shell, type Word } from "../../core/command.ts";

/** apt-get without questions, keeping configuration files that were changed by hand. `force` lets it do what it warns of. */
export const aptGet = (words: readonly Word[], options: { readonly force?: boolean } = {}): Shell =>
  sh`DEBIAN_FRONTEND=noninteractive ${["apt-get", "-y", options.force && "--force-yes", ...CONFIGURATION_FILES, ...words]}`;

const CONFIGURATION_FILES = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];
