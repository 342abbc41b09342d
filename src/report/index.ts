// Reports: records in; pages, Markdown, figures and terminal tables out. Plot, jsdom and resvg load when first used.
export { auditReport } from "./audit-report.js";
export { terminalAudit, terminalProfile, terminalTable } from "./terminal.js";
export { profilePage, writeAuditReport, writeProfileReport, writeReport } from "./write.js";
