import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, retryable } from "../static/chartd/connection.js";

test("close codes say whether to come back", () => {
  for (const code of [1000, 1001, 1006, 1011, 1012, 4000, 4007, 4499]) assert.equal(retryable(code), true, String(code));
  for (const code of [4500, 4501, 4503, 4999]) assert.equal(retryable(code), false, String(code));
});

test("backoff grows, is spread, and ends at 15 s", () => {
  let most = 0;
  for (let tries = 0; tries < 40; tries++) {
    const low = backoff(tries, 0);
    const high = backoff(tries, 1);
    assert.ok(low >= 100 && high <= 15_000, `${tries}: ${low} to ${high}`);
    assert.ok(high >= 4 * low, `${tries} is not spread: ${low} to ${high}`);
    assert.ok(high >= most, `${tries} shrinks`);
    most = high;
  }
  assert.equal(most, 15_000);
});
