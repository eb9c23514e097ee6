export { RespCommandParser } from "./command-parser.js";
export type { RespCommandLimits } from "./command-parser.js";
export { encodeCommand } from "./encode-command.js";
export { formatDouble } from "./format-double.js";
export { RespProtocolError } from "./protocol-error.js";
export { RespReplyParser } from "./reply-parser.js";
export type { RespReplyLimits } from "./reply-parser.js";
export type { RespError, RespSimple, RespValue, RespVersion } from "./value.js";
export { RespWriter } from "./reply-writer.js";
