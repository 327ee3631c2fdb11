;; A component of components: a few lines that make ten thousand instances of one module.
(component
  (component $ten-thousand
    (component $thousand
      (component $hundred
        (component $ten
          (core module $bulk (memory 1) (func (export "run") (result i32) (i32.const 0)))
          (core instance (instantiate $bulk)) (core instance (instantiate $bulk))
          (core instance (instantiate $bulk)) (core instance (instantiate $bulk))
          (core instance (instantiate $bulk)) (core instance (instantiate $bulk))
          (core instance (instantiate $bulk)) (core instance (instantiate $bulk))
          (core instance (instantiate $bulk)) (core instance (instantiate $bulk)))
        (instance (instantiate $ten)) (instance (instantiate $ten)) (instance (instantiate $ten))
        (instance (instantiate $ten)) (instance (instantiate $ten)) (instance (instantiate $ten))
        (instance (instantiate $ten)) (instance (instantiate $ten)) (instance (instantiate $ten))
        (instance (instantiate $ten)))
      (instance (instantiate $hundred)) (instance (instantiate $hundred)) (instance (instantiate $hundred))
      (instance (instantiate $hundred)) (instance (instantiate $hundred)) (instance (instantiate $hundred))
      (instance (instantiate $hundred)) (instance (instantiate $hundred)) (instance (instantiate $hundred))
      (instance (instantiate $hundred)))
    (instance (instantiate $thousand)) (instance (instantiate $thousand)) (instance (instantiate $thousand))
    (instance (instantiate $thousand)) (instance (instantiate $thousand)) (instance (instantiate $thousand))
    (instance (instantiate $thousand)) (instance (instantiate $thousand)) (instance (instantiate $thousand))
    (instance (instantiate $thousand)))
  (instance (instantiate $ten-thousand))
  (core module $guest (func (export "run") (result i32) (i32.const 0)))
  (core instance $guest (instantiate $guest))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
