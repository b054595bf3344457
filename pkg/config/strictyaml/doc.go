// Package strictyaml decodes one YAML document into Go structs and says
// everything that is wrong with it at once, each mistake with its file, line,
// column and path, what is wrong, and what would be right.
//
// It is strict where a slip of the pen would otherwise be silent: unknown and
// duplicate keys, values of another type, a second document, and aliases that
// expand without end are errors. It is lenient where only one reading makes
// sense: a number where text is wanted is the text as it was written.
//
// A scalar value may name environment variables: ${NAME} and ${NAME:-default}.
// They are replaced after parsing, so that a variable's value can never become
// YAML, and before the value gets its type, so that a number or a duration can
// come from the environment too. "$$" stands for "$"; a "$" before anything
// but "{" or "$" stands for itself.
package strictyaml
