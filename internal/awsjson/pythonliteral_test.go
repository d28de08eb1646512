package awsjson

import "testing"

func TestDictionaryReadsWhatPythonPrints(t *testing.T) {
	t.Parallel()
	for literal, want := range map[string]string{
		`{}`:                              `{}`,
		`{ }`:                             `{}`,
		`{'a': 'b'}`:                      `{"a":"b"}`,
		`{'a':'b','c' : "d" }`:            `{"a":"b","c":"d"}`,
		`{'a': None, 'b': True}`:          `{"a":null,"b":true}`,
		`{'a': False, 'b': 0}`:            `{"a":false,"b":0}`,
		`{'a': -12, 'b': 99999999999999}`: `{"a":-12,"b":99999999999999}`,
		`{'a': "it's"}`:                   `{"a":"it's"}`,
		`{'a': 'it\'s "x"'}`:              `{"a":"it's \"x\""}`,
		`{'a': '\\ \' \" \n \r \t'}`:      `{"a":"\\ ' \" \n \r \t"}`,
		`{'a': '\x00\x7f\xe9\xA0'}`:       "{\"a\":\"\\u0000\u007f\u00e9\u00a0\"}",
		`{'a': '\u2028\U0001f600'}`:       "{\"a\":\"\u2028\U0001f600\"}",
		`{'a, }': '{,'}`:                  `{"a, }":"{,"}`,
		`{'': ''}`:                        `{"":""}`,
		`{'a': 1, 'a': 2}`:                `{"a":1,"a":2}`,
	} {
		got, ok := dictionary(literal)
		if string(got) != want || !ok {
			t.Errorf("dictionary(%s) = %s, %v, want %s", literal, got, ok, want)
		}
	}
}

func TestDictionaryRefusesTheRestOfPython(t *testing.T) {
	t.Parallel()
	for _, literal := range []string{
		``, `{`, `'a'`, `['a']`, `{'a'}`, `{'a':}`, `{'a'}`, `{'a': 'b'`, `{'a': 'b',}`, `{'a': 'b' 'c': 'd'}`, `{'a': 'b'} `, `{'a': 'b'}}`,
		`{a: 'b'}`, `{1: 'b'}`, `{'a': b}`, `{'a': true}`, `{'a': ['b']}`, `{'a': {'b': 'c'}}`, `{'a': ('b',)}`, `{'a': b'c'}`, `{'a': r'c'}`,
		`{'a': 'b" }`, `{'a': 1.5}`, `{'a': 1_0}`, `{'a': 0x1}`, `{'a': +1}`, `{'a': 1 2}`, `{'a': 'b\`, `{'a': 'b\'}`, `{'a': 'b`,
		`{'a': '\a'}`, `{'a': '\0'}`, `{'a': '\N{BULLET}'}`, `{'a': '\x1'}`, `{'a': '\xg1'}`, `{'a': '\x+1'}`, `{'a': '\u12'`, `{'a': '\u_123'}`,
		`{'a': '\ud800'}`, `{'a': '\ud83d\ude00'}`, `{'a': '\U00110000'}`, `{'a': '\Uffffffff'}`, `{'a': '\U80000041'}`,
		"{'a': '\n'}", "{'a': '\nn'}", "{'a': '\r'}", "{'a': '\x00'}", "{'a': '\\\n'}", "{'a': '\xff'}", "{\t}", "{'a': '''b'''}", "# {}", "{'a': 1 # x\n}",
	} {
		if got, ok := dictionary(literal); ok {
			t.Errorf("dictionary(%s) = %s, want none", literal, got)
		}
	}
}
