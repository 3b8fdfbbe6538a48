package fixedpoint

import (
	"fmt"
	"strings"
)

// enum is the text form shared by the small named sets of this package: names
// as they stand in YAML and JSON, in the order of the constants.
func enumText[E ~uint8](e E, names []string) ([]byte, error) {
	if int(e) >= len(names) {
		return nil, fmt.Errorf("got %d, want one of %s", e, strings.Join(names, ", "))
	}
	return []byte(names[e]), nil
}

func enumParse[E ~uint8](e *E, text []byte, names []string) error {
	for i, n := range names {
		if n == string(text) {
			*e = E(i)
			return nil
		}
	}
	return fmt.Errorf("got %q, want one of %s", text, strings.Join(names, ", "))
}

func enumString[E ~uint8](e E, names []string) string {
	if int(e) >= len(names) {
		return fmt.Sprintf("invalid(%d)", e)
	}
	return names[e]
}
