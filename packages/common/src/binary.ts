/** Reading and writing bytes, for codecs that must run anywhere: no `Buffer`, no `zlib`. */
export { ByteReader, readU32 } from "./binary/byte-reader.js";
export { ByteWriter } from "./binary/byte-writer.js";
export { crc32 } from "./binary/crc32.js";
