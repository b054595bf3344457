package daemon

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/chartd/chartd/pkg/config"
)

// NewLogger returns the logger that a log section describes, writing to w:
// console lines where w is a terminal, JSON elsewhere, unless the section says
// which. Of lines that repeat, a hundred a second are kept and then every
// hundredth, so that a flood of bad requests does not become one of log lines.
// The level can be changed later through the one that is returned.
func NewLogger(cfg config.Log, w io.Writer) (*zap.Logger, zap.AtomicLevel, error) {
	level, err := zap.ParseAtomicLevel(string(cfg.Level))
	if err != nil {
		return nil, level, err
	}
	var enc zapcore.Encoder
	if console := cfg.Format == config.LogConsole; console || cfg.Format == config.LogAuto && isTerminal(w) {
		ec := zap.NewDevelopmentEncoderConfig()
		ec.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		ec.EncodeDuration = zapcore.StringDurationEncoder
		ec.EncodeLevel = zapcore.CapitalLevelEncoder
		ec.CallerKey = zapcore.OmitKey
		enc = zapcore.NewConsoleEncoder(ec)
	} else {
		ec := zap.NewProductionEncoderConfig()
		ec.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		ec.EncodeDuration = zapcore.StringDurationEncoder
		ec.CallerKey = zapcore.OmitKey
		enc = zapcore.NewJSONEncoder(ec)
	}
	core := zapcore.NewCore(enc, zapcore.Lock(zapcore.AddSync(w)), level)
	return zap.New(zapcore.NewSamplerWithOptions(core, time.Second, 100, 100)), level, nil
}

// isTerminal reports whether w is a character device: a terminal, in practice.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
