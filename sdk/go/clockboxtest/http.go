//go:build !wasip1

package clockboxtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"clockbox"
	"clockbox/internal/host"
)

func (m memory) HTTPSend(asked host.HTTPRequest) (host.HTTPResponse, *host.Refusal) {
	if m.HTTP == nil {
		return host.HTTPResponse{}, &host.Refusal{Case: 1, Message: asked.Method + " " + asked.URL + ": the test's host has no HTTP"}
	}
	request := &clockbox.HTTPRequest{
		Method: asked.Method, URL: asked.URL, Header: clockbox.HTTPHeader{}, Body: asked.Body,
		Timeout: time.Duration(asked.TimeoutMs) * time.Millisecond, MaxBody: asked.MaxBody,
	}
	for _, field := range asked.Header {
		request.Header.Add(field.Key, field.Value)
	}
	response, err := m.HTTP(request)
	if err != nil {
		return host.HTTPResponse{}, refusal(err)
	}
	if request.MaxBody > 0 && uint64(len(response.Body)) > request.MaxBody {
		return host.HTTPResponse{}, &host.Refusal{Case: 6, Message: fmt.Sprintf("more than %d bytes", request.MaxBody)}
	}
	given := host.HTTPResponse{Status: uint16(response.StatusCode), Body: response.Body}
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		for _, value := range response.Header[name] {
			given.Header = append(given.Header, host.Field{Key: name, Value: value})
		}
	}
	return given, nil
}

func refusal(err error) *host.Refusal {
	var failure *clockbox.Failure
	if !errors.As(err, &failure) {
		return &host.Refusal{Case: host.HTTPOther, Message: err.Error()}
	}
	at := slices.Index(host.HTTPCodes, failure.Code)
	if at < 0 {
		at = host.HTTPOther
	}
	return &host.Refusal{Case: uint8(at), Message: failure.Err.Error()}
}
