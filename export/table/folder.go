package table

import "bufio"

// What the folders of other table formats are written with and read by: the
// same strict readers, and errors of the same kind.

// ReadJSON reads the file name of dir into v, a pointer to a struct without
// optional fields: one object, no unknown key and none left out.
func ReadJSON(dir, name string, v any) error { return open(dir).json(name, maxNetwork, v) }

// ReadRows calls visit for each row of a CSV file of integers below header,
// with its line. The row is reused.
func ReadRows(dir, name, header string, visit func(line int, row []int64) error) error {
	return open(dir).rows(name, header, visit)
}

// Fault is an Error in the file name of dir; line 0 is the file as a whole.
func Fault(dir, name string, line int, field string, got any, want string) error {
	return open(dir).fault(name, line, field, got, want)
}

// WriteJSON makes the file name of dir.
func WriteJSON(dir, name string, v any) error {
	w := writer{dir: dir}
	w.json(name, v)
	return w.err
}

// WriteText makes the file name of dir.
func WriteText(dir, name string, fill func(*bufio.Writer)) error {
	w := writer{dir: dir}
	w.text(name, fill)
	return w.err
}
