;; A command that wants something which no host of this kind has.
(component
  (import "acme:rockets/launchpad@1.0.0" (instance
    (export "launch" (func))))
  (core module $guest
    (func (export "run") (result i32) (i32.const 0)))
  (core instance $core (instantiate $guest))
  (func $run (result (result))
    (canon lift (core func $core "run")))
  (instance $exported (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exported)))
