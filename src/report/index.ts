// Reports: records in; pages, Markdown, figures and terminal tables out. Plot, jsdom and resvg load when first used.
export { auditReport } from "./audit-report.js";
export { terminalAudit, terminalTable } from "./terminal.js";
export { writeAuditReport, writeReport } from "./write.js";
