// The subcommands in the order of the help. One file each.
import { audit } from "./audit.js";
import { data } from "./data.js";
import { doctor } from "./doctor.js";
import { exportCommand } from "./export.js";
import { harden } from "./harden.js";
import { list } from "./list.js";
import { models } from "./models.js";
import { profile } from "./profile.js";
import { report } from "./report.js";
import { run } from "./run.js";
import { status } from "./status.js";

export const commands = [
  run,
  status,
  harden,
  audit,
  exportCommand,
  profile,
  report,
  list,
  models,
  data,
  doctor,
] as const;
