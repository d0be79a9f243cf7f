package testdata

import "embed"

// Recordings holds the reels of this directory: assembly.reel, the update stream
// of an Assembly, and every-line.reel, which has each kind of line the format
// knows.
//
//go:embed *.reel
var Recordings embed.FS
