// SPDX-License-Identifier: MIT
// The client of Go's net/http. client URL; see client.py.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"time"
)

const shown = 4096

type item struct {
	Method  string
	Path    string
	Length  int64
	Chunked bool
	Expect  bool
}

type result struct {
	Status    int               `json:"status,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Length    int               `json:"length"`
	Sha256    string            `json:"sha256,omitempty"`
	Text      string            `json:"text"`
	Continued bool              `json:"continued"`
	Error     string            `json:"error,omitempty"`
}

// The bytes i % 251 of blocks of 65,536.
type pattern struct{ at, length int64 }

func (p *pattern) Read(bytes []byte) (int, error) {
	if p.at == p.length {
		return 0, io.EOF
	}
	n := 0
	for n < len(bytes) && p.at < p.length {
		bytes[n] = byte(p.at % 65536 % 251)
		n++
		p.at++
	}
	return n, nil
}

func ask(client *http.Client, base string, what item) result {
	var body io.Reader
	if what.Length > 0 {
		body = &pattern{0, what.Length}
	}
	request, err := http.NewRequest(what.Method, base+what.Path, body)
	if err != nil {
		return result{Error: err.Error()}
	}
	if what.Length > 0 && !what.Chunked {
		request.ContentLength = what.Length
	}
	var told result
	if what.Expect {
		request.Header.Set("Expect", "100-continue")
		trace := &httptrace.ClientTrace{Got100Continue: func() { told.Continued = true }}
		request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	}
	answer, err := client.Do(request)
	if err != nil {
		return result{Error: err.Error()}
	}
	defer answer.Body.Close()
	bytes, err := io.ReadAll(answer.Body)
	if err != nil {
		return result{Error: err.Error()}
	}
	sum := sha256.Sum256(bytes)
	told.Status, told.Length, told.Sha256 = answer.StatusCode, len(bytes), hex.EncodeToString(sum[:])
	told.Headers = map[string]string{}
	for name, values := range answer.Header {
		told.Headers[strings.ToLower(name)] = values[0]
	}
	if len(bytes) <= shown {
		told.Text = string(bytes)
	}
	return told
}

func main() {
	var items []item
	if err := json.NewDecoder(os.Stdin).Decode(&items); err != nil {
		panic(err)
	}
	transport := &http.Transport{ExpectContinueTimeout: 20 * time.Second}
	client := &http.Client{Transport: transport, Timeout: 60 * time.Second}
	results := []result{}
	for _, what := range items {
		results = append(results, ask(client, os.Args[1], what))
	}
	json.NewEncoder(os.Stdout).Encode(results)
}
