/** SUSE's package manager. @module */
import { sh } from "../core/command.ts";
import { repositoriesFact } from "./shared/repositories.ts";

/** Repositories that zypper is configured with. */
export const ZypperRepositories = repositoriesFact({
  name: "zypper.ZypperRepositories",
  requires: "zypper",
  command: () => sh`cat /etc/zypp/repos.d/*.repo || true`,
});
