// Package report writes a document of sections, tables and charts twice: as one
// HTML file that needs nothing else, and as Markdown with the same words and
// numbers.
//
// The HTML has no scripts and loads nothing; it follows the reader's light or dark
// setting, prints, reflows on a phone, and has its landmarks, captions and table
// headings named for screen readers and its wide tables reachable by keyboard.
// Every chart has a table of its numbers or a text that says what it shows; the
// Markdown has those in its place.
package report
