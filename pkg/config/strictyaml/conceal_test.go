package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/chartd/chartd/pkg/config/strictyaml"
)

// password is a text that no error may repeat.
type password string

func (password) Concealed() {}

// strictPassword also reads itself.
type strictPassword struct{}

func (*strictPassword) UnmarshalText([]byte) error { return errOfText }
func (strictPassword) Concealed()                  {}

var errOfText = textError{}

type textError struct{}

func (textError) Error() string { return "hunter2 is too short; want more than hunter2" }

type account struct {
	Name     string          `yaml:"name"`
	Password password        `yaml:"password"`
	Old      []password      `yaml:"old"`
	Strict   *strictPassword `yaml:"strict"`
}

type concealing struct {
	Accounts []account          `yaml:"accounts"`
	ByName   map[string]account `yaml:"by_name"`
	Plain    []string           `yaml:"plain"`
}

// TestConcealed holds that no mistake around a secret repeats it.
func TestConcealed(t *testing.T) {
	for _, text := range []string{
		"accounts: [{password: {hunter2}}]",
		"accounts: [{password: [hunter2]}]",
		"accounts: [{password: {hunter2: x}}]",
		"accounts: [{password: !hunter2 x}]",
		"accounts: [{password: '${hunter2 !}'}]",
		"accounts: [{password: 'a${hunter2}b'}]",
		"accounts: [{password: '${NAME:hunter2}'}]",
		"accounts: [{password: 'hunter2${'}]",
		"accounts: [{strict: hunter2}]",
		"accounts: [{strict: [hunter2]}]",
		"accounts: [{old: hunter2}]",
		"accounts: [{old: {hunter2: }}]",
		"accounts: [{old: [[hunter2]]}]",
		"accounts: [hunter2]",
		"accounts: hunter2",
		"accounts: {hunter2: }",
		"accounts: {hunter2}",
		"accounts: !hunter2 []",
		"accounts: [{name: a, hunter2}]",
		"accounts:\n  - name: a\n    hunter2:\n",
		"by_name: hunter2",
		"by_name: {a: hunter2}",
		"accounts:\n  - password: *hunter2\n",
		"accounts:\n  - password: &x hunter2\n    \"old\" : *hunter2\n",
		"accounts:\n  - password: hunter2: hunter2\n",
		"accounts:\n  - password: @hunter2\n",
		"accounts:\n  - password: \"hunter2\n",
		"accounts:\n  - password: [hunter2\n",
		"accounts:\n  - password: \"\\hunter2\"\n",
	} {
		var v concealing
		doc, err := strictyaml.Parse("f", []byte(text), environment)
		if err == nil {
			doc.Decode(&v)
			err = doc.Err()
		}
		if err == nil {
			t.Errorf("%s is taken for good", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s\ngives %v", text, err)
		}
	}
}

// TestConcealedSays holds that the mistakes which reveal nothing are named as
// well as any other.
func TestConcealedSays(t *testing.T) {
	for text, want := range map[string]string{
		"accounts: [{passwrd: x}]":           `f:1:13: accounts[0]: unknown key "passwrd"; did you mean "password"?`,
		"accounts: [{colour: x}]":            `unknown key "colour"; the keys here are: name, password, old, strict`,
		"accounts: [{password: ${NOT_SET}}]": "",
		"accounts: [{password: '${NOT}'}]":   "f:1:23: accounts[0].password: the environment variable NOT is not set; set it, or give it a default: ${NOT:-default}",
		"accounts: [{password: '${WO RD}'}]": `accounts[0].password: holds a "${" that cannot be replaced; write "${NAME}" alone, or $${ for the characters themselves`,
		"accounts: [{password: }]":           "f:1:23: accounts[0].password: has no value; want text",
		"accounts: x":                        `f:1:11: accounts: is one text; want a list of mappings`,
		"plain: x":                           `f:1:8: plain: is the text "x"; want a list of texts`,
		"nonsense":                           `f:1:1: is the text "nonsense"; want a mapping with the keys accounts, by_name, plain`,
	} {
		var v concealing
		doc, err := strictyaml.Parse("f", []byte(text), environment)
		if err == nil {
			doc.Decode(&v)
			err = doc.Err()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v\nwant  %s", text, err, want)
		}
	}
	var v concealing
	doc, err := strictyaml.Parse("f", []byte("accounts: [{password: 'a${WORD}b', old: [\"${PORT}\"]}]"), environment)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Decode(&v); doc.Err() != nil || v.Accounts[0].Password != "awordb" || v.Accounts[0].Old[0] != "8080" {
		t.Errorf("%+v, %v", v, doc.Err())
	}
}
