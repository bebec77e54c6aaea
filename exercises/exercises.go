// Package exercises holds the exercises: a folder for each, with its bounds, its task,
// its answer and the code in each language. internal/exercise reads them.
//
//	ID/exercise.yaml               what is played, and the bounds (internal/exercise.Exercise)
//	ID/task.md                     what the participant reads; {file} is the file to change
//	ID/answer.md                   what was wrong, why, and why the fix works
//	ID/LANGUAGE/starter/FILE       what the participant begins with
//	ID/LANGUAGE/answer/FILE        our solution
//	ID/LANGUAGE/cosmetic/FILE      the starter with other names or another order: it must fail
//	ID/LANGUAGE/other1..3/FILE     other solutions: they must pass
//	ID/processes/NAME/main.go      of a diagnosis: what runs; the line that ends with
//	                               "// found here" is the one to find
//	harness/backend/main.go        the server that those call
//	harness/LANGUAGE/FILE          the program around the client; a name may end with .txt
package exercises

import "embed"

// Files are those that a participant is given. What only tests play is not among them.
//
//go:embed */exercise.yaml */task.md */answer.md */*/starter/* */*/answer/* harness/*/* */processes/*/main.go
var Files embed.FS
