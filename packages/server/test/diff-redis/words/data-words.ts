import { HASH_WORDS } from "./hashes.ts";
import { KEY_WORDS } from "./keys.ts";
import { LIST_WORDS } from "./lists.ts";
import type { Words } from "./make-arguments.ts";
import { SET_WORDS } from "./sets.ts";
import { SORTED_SET_WORDS } from "./sorted-sets.ts";
import { STRING_WORDS } from "./strings.ts";

/** The commands on data. */
export const DATA_WORDS: Words = {
  ...STRING_WORDS,
  ...KEY_WORDS,
  ...HASH_WORDS,
  ...LIST_WORDS,
  ...SET_WORDS,
  ...SORTED_SET_WORDS,
};
