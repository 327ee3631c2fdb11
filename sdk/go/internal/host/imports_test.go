package host

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// TinyGo compiles no imported function as a value: each is only ever called.
func TestImportedFunctionsAreOnlyCalled(t *testing.T) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "host_wasip1.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	imported := map[string]bool{}
	for _, each := range file.Decls {
		function, ok := each.(*ast.FuncDecl)
		if ok && function.Doc != nil && function.Body == nil {
			imported[function.Name.Name] = strings.Contains(function.Doc.List[len(function.Doc.List)-1].Text, "go:wasmimport")
		}
	}
	called := map[string]bool{}
	for _, each := range file.Decls {
		function, ok := each.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		targets := map[ast.Node]bool{}
		ast.Inspect(function.Body, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.CallExpr:
				targets[node.Fun] = true
			case *ast.Ident:
				if imported[node.Name] && node.Obj != nil && node.Obj.Kind == ast.Fun {
					called[node.Name] = true
					if !targets[node] {
						t.Errorf("%s: %s is used as a value", files.Position(node.Pos()), node.Name)
					}
				}
			}
			return true
		})
	}
	if len(imported) == 0 || len(called) != len(imported) {
		t.Errorf("imported: %v, called: %v", imported, called)
	}
}
