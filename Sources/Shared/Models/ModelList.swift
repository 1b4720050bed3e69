/// All models, the default first; the subcommands of `h2rec-train`, and what `h2rec-evaluate` can read.
public let modelRecipes: [any ModelRecipe.Type] = [
  H2Rec.self, SASRec.self, SIDOnly.self, GRU4Rec.self, BSARec.self, FMLPRec.self, BERT4Rec.self,
  ESASRec.self, HSTU.self, TextSASRec.self, UniSRec.self, PGSID.self,
  TIGER.self,
]
