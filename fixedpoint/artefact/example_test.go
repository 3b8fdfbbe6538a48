package artefact_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"glsnn/fixedpoint/artefact"
)

func Example() {
	dir, err := os.MkdirTemp("", "artefact")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "network.glsnn")

	err = artefact.WriteFile(path, artefact.Bundle{
		Kind:    "network",
		Version: 1,
		Body:    json.RawMessage(`{"seed": 7}`),
		Arrays:  []artefact.Array{artefact.NewArray("layer0/weights", []float32{1, 2, 3, 4, 5, 6}, 2, 3)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	b, err := artefact.ReadFile(path, "network", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	weights, err := artefact.Get[float32](b, "layer0/weights", -1, 3)
	fmt.Println(weights, err)
	fmt.Println(string(b.Body), b.SHA256[:8])
	// Output:
	// [1 2 3 4 5 6] <nil>
	// {"seed":7} c4334638
}
