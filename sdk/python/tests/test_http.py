import unittest

from clockbox_sdk import Fatal, InvalidArgs, Retry, http, testing


class Http(unittest.TestCase):
    def setUp(self):
        self.host = testing.reset()

    def answer(self, *args, **kwargs):
        asked = []

        def answer(request):
            asked.append(request)
            return http.Response(*args, **kwargs)

        self.host.http = answer
        return asked

    def test_a_request_reaches_the_answer_as_it_was_built(self):
        asked = self.answer(201, {"X-Kind": "Answer"}, b'{"rate":1.25}')
        response = http.post("https://x.example/?q=1", json={"a": "\u00fc"}, headers={"X-Asked": "yes"}, timeout=1.5, max_body=20)
        self.assertEqual(
            asked,
            [
                http.Request(
                    "POST",
                    "https://x.example/?q=1",
                    {"X-Asked": "yes", "content-type": "application/json"},
                    b'{"a": "\\u00fc"}',
                    1.5,
                    20,
                )
            ],
        )
        self.assertEqual((response.status, response.ok, response.headers["x-kind"]), (201, True, "Answer"))
        self.assertEqual(response.json(), {"rate": 1.25})

    def test_text_and_bytes_go_as_they_are_and_a_content_type_of_its_own_stays(self):
        asked = self.answer(200)
        http.post("https://x.example", "\u00fc")
        http.post("https://x.example", b"\xff")
        http.get("https://x.example")
        http.request("PUT", "https://x.example", json=None, headers={"Content-Type": "x/y"})
        self.assertEqual([request.body for request in asked], ["\u00fc".encode(), b"\xff", b"", b"null"])
        self.assertEqual([request.headers for request in asked], [{}, {}, {}, {"Content-Type": "x/y"}])
        self.assertEqual([request.method for request in asked], ["POST", "POST", "GET", "PUT"])

    def test_any_status_is_an_answer_and_text_is_what_the_body_says(self):
        self.answer(404, body=b"n\xff")
        response = http.get("https://x.example")
        self.assertEqual((response.status, response.ok, response.text()), (404, False, "n\ufffd"))
        with self.assertRaises(http.NoAnswer) as caught:
            response.json()
        self.assertEqual(caught.exception.code, "protocol")

    def test_several_headers_of_one_name_are_joined(self):
        self.assertEqual(http._joined([("a", "1"), ("b", "2"), ("A", "3")]), {"a": "1, 3", "b": "2"})

    def test_an_error_keeps_its_code_and_asks_for_a_retry_only_where_that_can_help(self):
        expected = {"invalid-request": (InvalidArgs, "invalid-request"), "denied": (Fatal, "http-denied"), "too-large": (Fatal, "too-large")}
        expected |= {kind: (Retry, kind) for kind in ("dns", "connect", "timeout", "tls", "protocol")}
        expected["other"] = (Retry, "protocol")
        for kind, (case, code) in expected.items():
            with self.subTest(kind):

                def answer(_):
                    raise http._error(kind, "because")

                self.host.http = answer
                with self.assertRaises(case) as caught:
                    testing.call(lambda: http.get("https://x.example").status)
                self.assertIsInstance(caught.exception, http.HttpError)
                self.assertEqual((caught.exception.kind, str(caught.exception)), (kind, f"{code}: because"))

    def test_what_cannot_be_asked_is_refused_and_without_an_answer_a_request_is_denied(self):
        with self.assertRaises(http.NotAllowed) as caught:
            http.get("https://x.example")
        self.assertEqual(caught.exception.code, "http-denied")
        self.answer(200, body=b"1234")
        self.assertTrue(http.get("https://x.example", max_body=4).ok)
        with self.assertRaises(http.NotAllowed) as caught:
            http.get("https://x.example", max_body=3)
        self.assertEqual(caught.exception.code, "too-large")
        for value in (float("nan"), {1}):
            with self.assertRaises(http.InvalidRequest):
                http.post("https://x.example", json=value)
        for timeout in (-1, float("nan")):
            with self.assertRaises(http.InvalidRequest):
                http.get("https://x.example", timeout=timeout)
        with self.assertRaises(TypeError):
            http.post("https://x.example", "a", json=1)
