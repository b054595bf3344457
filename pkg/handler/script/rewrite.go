package script

import (
	"go.starlark.net/syntax"
)

// The names of what a rewritten script calls. No script can say them: an
// identifier has no "!".
const (
	opPrefix  = "!op " // and the operator
	augPrefix = "!aug "
	hideIndex = "!index"  // x[i] op= y
	hideKey   = "!key"    // of x[key] and {key: …}
	hideStar  = "!star"   // f(*x), f(**x)
	hidePart  = "!part"   // x[a:b]
	hideCopy  = "!copy"   // x[a:b:c]
	hideMade  = "!made"   // […] and {…}
	hideAttr  = "!attr"   // x.name
	hideCall  = "!method" // x.name(…)
	hideEnter = "!enter"  // a function that holds functions
)

// rewriter turns a script into one whose costly operations are calls of this
// package. What it means, and where it says that something is wrong, stays.
type rewriter struct {
	errs []syntax.Error
}

// file rewrites a whole file.
func (w *rewriter) file(f *syntax.File) { w.stmts(f.Stmts) }

func (w *rewriter) refuse(pos syntax.Position, msg string) {
	w.errs = append(w.errs, syntax.Error{Pos: pos, Msg: msg})
}

func (w *rewriter) stmts(list []syntax.Stmt) {
	for i, s := range list {
		list[i] = w.stmt(s)
	}
}

func (w *rewriter) stmt(s syntax.Stmt) syntax.Stmt {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		return w.assign(s)
	case *syntax.DefStmt:
		w.params(s.Params)
		n, holds := captured(s)
		w.stmts(s.Body)
		if holds {
			enter := &syntax.ExprStmt{X: call(hideEnter, s.Def, number(n, s.Def))}
			s.Body = append([]syntax.Stmt{enter}, s.Body...)
		}
	case *syntax.ExprStmt:
		s.X = w.expr(s.X)
	case *syntax.ForStmt:
		w.target(s.Vars)
		s.X = w.expr(s.X)
		w.stmts(s.Body)
	case *syntax.WhileStmt:
		s.Cond = w.expr(s.Cond)
		w.stmts(s.Body)
	case *syntax.IfStmt:
		s.Cond = w.expr(s.Cond)
		w.stmts(s.True)
		w.stmts(s.False)
	case *syntax.ReturnStmt:
		s.Result = w.expr(s.Result)
	case *syntax.LoadStmt:
		w.refuse(s.Load, "there is no load here; a script is one file")
	}
	return s
}

// assign rewrites an assignment. x += y becomes x = aug(x, y), and x[i] += y one
// call that looks at x and i once.
func (w *rewriter) assign(s *syntax.AssignStmt) syntax.Stmt {
	s.RHS = w.expr(s.RHS)
	lhs := s.LHS
	for {
		p, ok := lhs.(*syntax.ParenExpr)
		if !ok {
			break
		}
		lhs = p.X
	}
	if s.Op != syntax.EQ {
		op := s.Op - syntax.PLUS_EQ + syntax.PLUS
		switch lhs := lhs.(type) {
		case *syntax.Ident:
			old := &syntax.Ident{NamePos: lhs.NamePos, Name: lhs.Name}
			s.RHS, s.Op = call(augPrefix+op.String(), s.OpPos, old, s.RHS), syntax.EQ
			return s
		case *syntax.IndexExpr:
			name := &syntax.Literal{Token: syntax.STRING, TokenPos: s.OpPos, Value: op.String()}
			return &syntax.ExprStmt{X: call(hideIndex, s.OpPos, w.expr(lhs.X), w.expr(lhs.Y), name, s.RHS)}
		}
	}
	w.target(s.LHS)
	return s
}

// target rewrites what is assigned to.
func (w *rewriter) target(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		w.target(e.X)
	case *syntax.IndexExpr:
		e.X, e.Y = w.expr(e.X), w.key(e.Y)
	case *syntax.DotExpr:
		e.X = w.expr(e.X)
	case *syntax.TupleExpr:
		for _, x := range e.List {
			w.target(x)
		}
	case *syntax.ListExpr:
		for _, x := range e.List {
			w.target(x)
		}
	}
}

// params rewrites the defaults of parameters.
func (w *rewriter) params(list []syntax.Expr) {
	for _, p := range list {
		if b, ok := p.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			b.Y = w.expr(b.Y)
		}
	}
}

func (w *rewriter) exprs(list []syntax.Expr) {
	for i, e := range list {
		list[i] = w.expr(e)
	}
}

func (w *rewriter) expr(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		e.X = w.expr(e.X)
	case *syntax.ListExpr:
		w.exprs(e.List)
		return call(hideMade, e.Lbrack, e)
	case *syntax.TupleExpr:
		w.exprs(e.List)
	case *syntax.DictExpr:
		for _, one := range e.List {
			w.entry(one)
		}
		return call(hideMade, e.Lbrace, e)
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = w.expr(e.Cond), w.expr(e.True), w.expr(e.False)
	case *syntax.IndexExpr:
		e.X, e.Y = w.expr(e.X), w.key(e.Y)
	case *syntax.SliceExpr:
		return w.slice(e)
	case *syntax.Comprehension:
		return w.comprehension(e)
	case *syntax.UnaryExpr:
		if e.X != nil {
			e.X = w.expr(e.X)
		}
	case *syntax.BinaryExpr:
		return w.binary(e)
	case *syntax.DotExpr:
		return call(hideAttr, e.Name.NamePos, w.expr(e.X), text(e.Name))
	case *syntax.CallExpr:
		return w.call(e)
	case *syntax.LambdaExpr:
		w.params(e.Params)
		n, holds := captured(e)
		e.Body = w.expr(e.Body)
		if holds {
			e.Body = &syntax.BinaryExpr{X: call(hideEnter, e.Lambda, number(n, e.Lambda)), OpPos: e.Lambda, Op: syntax.AND, Y: e.Body}
		}
	}
	return e
}

// entry rewrites an entry of a dict.
func (w *rewriter) entry(e syntax.Expr) {
	if d, ok := e.(*syntax.DictEntry); ok {
		d.Key, d.Value = w.key(d.Key), w.expr(d.Value)
	}
}

func (w *rewriter) slice(e *syntax.SliceExpr) syntax.Expr {
	name := hidePart
	if e.Step != nil {
		name, e.Step = hideCopy, w.expr(e.Step)
	}
	if e.Lo != nil {
		e.Lo = w.expr(e.Lo)
	}
	if e.Hi != nil {
		e.Hi = w.expr(e.Hi)
	}
	e.X = call(name, e.Lbrack, w.expr(e.X))
	return e
}

func (w *rewriter) comprehension(e *syntax.Comprehension) syntax.Expr {
	switch body := e.Body.(type) {
	case *syntax.DictEntry:
		w.entry(body)
	default:
		e.Body = w.expr(e.Body)
	}
	for _, c := range e.Clauses {
		switch c := c.(type) {
		case *syntax.ForClause:
			w.target(c.Vars)
			c.X = w.expr(c.X)
		case *syntax.IfClause:
			c.Cond = w.expr(c.Cond)
		}
	}
	return call(hideMade, e.Lbrack, e)
}

func (w *rewriter) binary(e *syntax.BinaryExpr) syntax.Expr {
	cheap := number0(e.X) || number0(e.Y)
	e.X, e.Y = w.expr(e.X), w.expr(e.Y)
	switch e.Op {
	case syntax.AND, syntax.OR, syntax.EQ:
		return e
	case syntax.PLUS, syntax.MINUS, syntax.SLASH, syntax.SLASHSLASH, syntax.LT, syntax.GT, syntax.LE, syntax.GE, syntax.EQL, syntax.NEQ:
		// With a plain number, none of these looks through much or makes much.
		if cheap {
			return e
		}
	}
	return call(opPrefix+e.Op.String(), e.OpPos, e.X, e.Y)
}

// number0 reports whether e is a small number as it stands.
func number0(e syntax.Expr) bool {
	l, ok := e.(*syntax.Literal)
	if !ok {
		return false
	}
	switch l.Value.(type) {
	case int64, float64:
		return true
	}
	return false
}

func (w *rewriter) call(e *syntax.CallExpr) syntax.Expr {
	for i, arg := range e.Args {
		switch a := arg.(type) {
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ { // name=value
				a.Y = w.expr(a.Y)
				continue
			}
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR || a.Op == syntax.STARSTAR {
				a.X = call(hideStar, a.OpPos, w.expr(a.X))
				continue
			}
		}
		e.Args[i] = w.expr(arg)
	}
	if dot, ok := e.Fn.(*syntax.DotExpr); ok {
		e.Args = append([]syntax.Expr{w.expr(dot.X), text(dot.Name)}, e.Args...)
		e.Fn = &syntax.Ident{NamePos: dot.Name.NamePos, Name: hideCall}
		return e
	}
	e.Fn = w.expr(e.Fn)
	return e
}

// key rewrites what is looked up.
func (w *rewriter) key(e syntax.Expr) syntax.Expr {
	if _, plain := e.(*syntax.Literal); plain {
		return e
	}
	return call(hideKey, syntax.Start(e), w.expr(e))
}

// captured reports whether a function holds others, and then how many variables
// it may share with them at most: each call of it makes these anew.
func captured(f syntax.Node) (n int, holds bool) {
	syntax.Walk(f, func(x syntax.Node) bool {
		switch x := x.(type) {
		case *syntax.DefStmt:
			holds = holds || syntax.Node(x) != f
		case *syntax.LambdaExpr:
			holds = holds || syntax.Node(x) != f
		case *syntax.Ident:
			n++
		}
		return true
	})
	return n, holds
}

// call returns the call of a hidden function; pos is where errors stand.
func call(name string, pos syntax.Position, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: pos, Name: name}, Lparen: pos, Args: args, Rparen: pos}
}

func text(id *syntax.Ident) *syntax.Literal {
	return &syntax.Literal{Token: syntax.STRING, TokenPos: id.NamePos, Value: id.Name}
}

func number(n int, pos syntax.Position) *syntax.Literal {
	return &syntax.Literal{Token: syntax.INT, TokenPos: pos, Value: int64(n)}
}
