/** Loaded before every test file. @module */
import { setDefaultTimeout } from "bun:test";

// Tests start real programs on busy machines: a deadline that only a hang reaches.
setDefaultTimeout(60_000);
