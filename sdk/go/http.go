package clockbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"clockbox/internal/host"
)

// HTTPHeader is the header of a request or a response, by names in lower case.
type HTTPHeader map[string][]string

// Get is the first value of a name, in any case; "" where there is none.
func (h HTTPHeader) Get(name string) string {
	if values := h[strings.ToLower(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values are all values of a name, in any case.
func (h HTTPHeader) Values(name string) []string { return h[strings.ToLower(name)] }

// Set makes this the only value of a name.
func (h HTTPHeader) Set(name, value string) { h[strings.ToLower(name)] = []string{value} }

// Add adds a value to a name.
func (h HTTPHeader) Add(name, value string) {
	name = strings.ToLower(name)
	h[name] = append(h[name], value)
}

// HTTPRequest is what is asked.
type HTTPRequest struct {
	Method string // "" is GET
	URL    string
	Header HTTPHeader
	Body   []byte
	// Timeout is the longest that the whole exchange may take; 0 leaves it to what the manifest says.
	Timeout time.Duration
	// MaxBody is the most bytes of the response's body that are taken; 0 is `limits.response` of the plugin.
	MaxBody uint64
}

// HTTPResponse is what came back, whatever its status.
type HTTPResponse struct {
	StatusCode int
	Header     HTTPHeader
	Body       []byte
}

// OK says whether the status is one of 200 to 299.
func (r *HTTPResponse) OK() bool { return r.StatusCode >= 200 && r.StatusCode < 300 }

// JSON reads the body into a variable.
func (r *HTTPResponse) JSON(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return Retryf("protocol", "the body is not the JSON expected: %w", err)
	}
	return nil
}

// HTTPDo sends a request and waits for the whole response. Any status is one, and no error. Needs the right `allow.http`. Redirects are
// not followed: their target may be another origin. The error is a [Failure] whose code says why there is no response, and asks for a
// retry only where that can help.
func HTTPDo(request *HTTPRequest) (*HTTPResponse, error) {
	method := request.Method
	if method == "" {
		method = "GET"
	}
	if request.Timeout < 0 {
		return nil, httpError(&host.Refusal{Message: "the timeout " + request.Timeout.String() + " lies in the past"})
	}
	if !utf8.ValidString(method + request.URL) {
		return nil, httpError(&host.Refusal{Message: fmt.Sprintf("%q is not UTF-8", method+" "+request.URL)})
	}
	asked := host.HTTPRequest{Method: method, URL: request.URL, Body: request.Body, MaxBody: request.MaxBody}
	if request.Timeout > 0 {
		asked.TimeoutMs = max(uint64(request.Timeout.Milliseconds()), 1)
	}
	for _, name := range slices.Sorted(maps.Keys(request.Header)) {
		for _, value := range request.Header[name] {
			if !utf8.ValidString(name + value) {
				return nil, httpError(&host.Refusal{Message: fmt.Sprintf("the header %q is not UTF-8", name+": "+value)})
			}
			asked.Header = append(asked.Header, host.Field{Key: name, Value: value})
		}
	}
	answer, refusal := host.HTTPSend(asked)
	if refusal != nil {
		return nil, httpError(refusal)
	}
	response := &HTTPResponse{StatusCode: int(answer.Status), Header: HTTPHeader{}, Body: answer.Body}
	for _, field := range answer.Header {
		response.Header.Add(field.Key, field.Value)
	}
	return response, nil
}

// HTTPGet sends a GET request.
func HTTPGet(url string) (*HTTPResponse, error) { return HTTPDo(&HTTPRequest{URL: url}) }

// HTTPPost sends a POST request.
func HTTPPost(url, contentType string, body []byte) (*HTTPResponse, error) {
	return HTTPDo(&HTTPRequest{Method: "POST", URL: url, Header: HTTPHeader{"content-type": {contentType}}, Body: body})
}

// HTTPPostJSON sends a POST request whose body is a value as JSON.
func HTTPPostJSON(url string, value any) (*HTTPResponse, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, httpError(&host.Refusal{Message: "the body is not JSON: " + err.Error()})
	}
	return HTTPPost(url, "application/json", body)
}

func httpError(refusal *host.Refusal) error {
	if refusal.Case == 0 {
		// What is wrong with a request is mostly wrong with the arguments that it was made of.
		failure := InvalidArgsf("%s", refusal.Message).(*Failure)
		failure.Code = host.HTTPCodes[0]
		return failure
	}
	return refused(refusal, host.HTTPCodes, "dns", "connect", "timeout", "tls", "protocol")
}
