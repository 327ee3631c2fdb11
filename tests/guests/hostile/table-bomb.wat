;; Grows a table until it is refused; then it traps, as a program does that cannot go on.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func (export "_start")
    (loop $more
      (br_if $more (i32.ne (table.grow $table (ref.null func) (i32.const 4096)) (i32.const -1))))
    unreachable))
