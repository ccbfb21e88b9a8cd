/** Red Hat's older package manager. @module */
import { sh } from "../core/command.ts";
import { repositoriesFact } from "./shared/repositories.ts";

/** Repositories that yum is configured with. */
export const YumRepositories = repositoriesFact({
  name: "yum.YumRepositories",
  requires: "yum",
  command: () => sh`(! test -f /etc/yum.conf || cat /etc/yum.conf) && (cat /etc/yum.repos.d/*.repo || true)`,
});
