;; Never ends either, but before its entry is called: in the start function, while it is instantiated.
(module
  (memory (export "memory") 1)
  (func $spin
    (loop $again (br $again)))
  (start $spin)
  (func (export "_start")))
