/**
 * Who looks at chartd's own pages: a token out of the address, which leaves it
 * at once, or out of the form below. It is kept for this tab alone, and shown
 * to this server alone.
 */
import { auth } from "../chartd.js";
import { make } from "./words.js";

const key = "chartd-token";

/** For a tab that may not store anything. */
let kept = "";

/** The visitor's token, "" for nobody. */
export function token() {
  try {
    return sessionStorage.getItem(key) ?? kept;
  } catch {
    return kept;
  }
}

/** @param {string} text "" forgets */
function keep(text) {
  kept = text;
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // it holds until the page is loaded again
  }
}

/** What a request to this server says about the visitor. @returns {Record<string, string>} */
export function credentials() {
  const shown = token();
  return shown ? { Authorization: `Bearer ${shown}` } : {};
}

/** @param {string} text "" signs out */
export function signIn(text) {
  keep(text);
  auth(token);
}

/**
 * Makes the form that asks for a token.
 * @param {() => void} done a token was entered
 */
export function signInForm(done) {
  const input = make("input", {
    id: "token", type: "password", name: "token", required: "", autocomplete: "current-password", spellcheck: "false", "aria-describedby": "sign-in-why",
  });
  const why = make("p", { id: "sign-in-why", role: "status" });
  const form = make("form", { id: "sign-in", class: "sign-in", "aria-labelledby": "sign-in-title" },
    make("h2", { id: "sign-in-title" }, "Sign in"), why,
    make("label", { for: "token" }, "Token"),
    make("div", { class: "row" }, input, make("button", { type: "submit" }, "Sign in")),
    make("p", { class: "hint" }, "It stays in this tab until you close it."),
  );
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const text = input.value.trim();
    input.value = "";
    if (text === "") return;
    signIn(text);
    done();
  });
  return {
    form,
    /**
     * Says why, and asks again.
     * @param {string} reason
     */
    ask(reason) {
      const text = token() === "" ? "This server wants to know who you are." : sentence(reason || "the server does not take this token");
      if (why.textContent !== text) why.textContent = text;
      why.classList.toggle("bad", token() !== "");
    },
  };
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
}

/** Takes a token out of the address. */
function take() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return;
  // A link says which pages may frame it, and the server that they may: it has to
  // see it, in "?link=". What stands here it does not see.
  if (given.startsWith("chartd1_") && window.top !== window) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  signIn(given);
}
auth(token);
take();
addEventListener("hashchange", take); // whoever keeps a screen may hand it the next
