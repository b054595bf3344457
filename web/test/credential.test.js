import assert from "node:assert/strict";
import { test } from "node:test";
import { auth, Credential, expiry } from "../static/chartd/credential.js";
import { due, Pass } from "../static/chartd/pass.js";

/** @param {object} claims */
const jwt = (claims) => ["{}", JSON.stringify(claims), "signature"].map((part) => Buffer.from(part).toString("base64url")).join(".");

test("a JSON Web Token says when it ends, and nothing else does", () => {
  assert.equal(expiry(jwt({ exp: 1700000000, sub: "Zoë ☃" })), 1700000000000);
  for (const token of ["", "wall-token-of-some-length", "a.b.c", "..", jwt({}), jwt({ exp: "soon" }), `chartd1_${jwt({ exp: 1 })}.x`]) {
    assert.ok(Number.isNaN(expiry(token)), token);
  }
});

test("the next token is asked for in time, and never in a hurry", () => {
  assert.equal(due(NaN, 0), Infinity);
  assert.equal(due(3_600_000, 0), 3_540_000);
  assert.equal(due(100_000, 0), 80_000);
  for (const end of [1_000, 0, -5_000]) assert.equal(due(end, 0), 2_000);
});

test("a token of its own is shown once, and again only if it was taken", async () => {
  const pass = new Pass(Credential.of("own"), "https://example.com/", () => {});
  assert.equal(await pass.token(), "own");
  assert.equal(pass.refused(), false); // there is no other
  assert.equal(await pass.token(), null);
});

test("a provider is asked once more after a refusal, and told of it", async () => {
  /** @type {boolean[]} */
  const asked = [];
  let token = "old";
  auth(({ server, refused }) => {
    assert.equal(server, "https://example.com/");
    asked.push(refused);
    return token;
  });
  let fresh = 0;
  const pass = new Pass(Credential.page, "https://example.com/", () => fresh++);
  assert.equal(await pass.token(), "old");
  assert.equal(pass.refused(), true);
  assert.equal(await pass.token(), null, "the same again is not worth a connection");
  token = "new";
  assert.equal(await pass.token(), "new");
  assert.equal(pass.refused(), false, "twice in a row is enough");
  assert.deepEqual(asked, [false, true, true]);

  auth(async () => "signed in");
  assert.equal(fresh, 1);
  assert.equal(await pass.token(), "signed in");
  pass.taken();
  assert.equal(await pass.next(), null, "nothing new");
  auth(null);
  assert.equal(await pass.next(), "", "signed out");
  assert.equal(await pass.token(), "");
  pass.rest();
});
